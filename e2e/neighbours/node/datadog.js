'use strict'
// dd-trace, which patches http and grpc-js. The format is one of its propagation styles.
exports.create = function (format) {
  process.env.DD_TRACE_PROPAGATION_STYLE = { w3c: 'tracecontext,baggage', b3: 'b3 single header,baggage', b3multi: 'b3multi,baggage' }[format]
  process.env.DD_TRACE_128_BIT_TRACEID_GENERATION_ENABLED = 'true'
  process.env.DD_TRACE_STARTUP_LOGS = 'false'
  process.env.DD_INSTRUMENTATION_TELEMETRY_ENABLED = 'false'
  process.env.DD_REMOTE_CONFIGURATION_ENABLED = 'false'
  process.env.DD_TRACE_AGENT_URL = 'http://127.0.0.1:9' // nobody: what is asserted is what the process sees
  const quiet = () => {}
  const tracer = require('dd-trace').init({
    service: 'node', flushInterval: 3600000, runtimeMetrics: false, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }
  })
  const sent = []
  tracer.use('http', { client: { hooks: { request: (span) => { if (span) sent.push(span.context().toSpanId(true)) } } } })
  return {
    grpc: true,
    root ({ sampled, baggage, carrier }, work) {
      const parent = carrier ? tracer.extract('text_map', carrier) : undefined
      const span = tracer.startSpan('root', { childOf: parent || undefined })
      if (!parent) span.setTag(sampled ? 'manual.keep' : 'manual.drop', true)
      for (const [k, v] of Object.entries(baggage || {})) span.setBaggageItem(k, v)
      return tracer.scope().activate(span, async () => {
        try { return await work() } finally { span.finish() }
      })
    },
    server (headers, handler) { handler() },
    client (headers, send) { send(() => {}) },
    current () {
      const sc = tracer.scope().active().context()
      const root = sc._trace.started[0].context() // the server's own span
      const parent = root._parentId ? BigInt(root._parentId.toString(10)).toString(16).padStart(16, '0') : ''
      return {
        trace: sc.toTraceId(true).padStart(32, '0'),
        id: root.toSpanId(true).padStart(16, '0'),
        parent,
        sampled: (sc._sampling.priority || 0) > 0,
        tracestate: sc._tracestate ? sc._tracestate.toString() : '',
        baggage: sc._baggageItems || {}
      }
    },
    async clientSpans () { return sent.splice(0).map((id) => id.padStart(16, '0')) }
  }
}
