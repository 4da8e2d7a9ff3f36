'use strict'
// jaeger-client, which instruments nothing by itself: contexts are injected and extracted by hand, as its users do.
const { AsyncLocalStorage } = require('async_hooks')
const opentracing = require('opentracing')
const jaeger = require('jaeger-client')

exports.create = function (format) {
  const sampler = new jaeger.ConstSampler(true)
  const tracer = new jaeger.Tracer('node', new jaeger.InMemoryReporter(), sampler, { traceId128bit: true })
  if (format === 'b3') {
    const codec = new jaeger.ZipkinB3TextMapCodec({ urlEncoding: true })
    tracer.registerInjector(opentracing.FORMAT_HTTP_HEADERS, codec)
    tracer.registerExtractor(opentracing.FORMAT_HTTP_HEADERS, codec)
  }
  const active = new AsyncLocalStorage()
  const sent = []
  const hex = (id, width) => (id ? id.toString('hex') : '').padStart(width, '0')
  return {
    grpc: true,
    root ({ sampled, baggage }, work) {
      sampler._decision = sampled
      const span = tracer.startSpan('root')
      for (const [k, v] of Object.entries(baggage || {})) span.setBaggageItem(k, v)
      return active.run(span, async () => {
        try { return await work() } finally { span.finish() }
      })
    },
    server (headers, handler) {
      const parent = tracer.extract(opentracing.FORMAT_HTTP_HEADERS, headers)
      const span = tracer.startSpan('server', { childOf: parent, tags: { 'span.kind': 'server' } })
      active.run(span, handler)
      span.finish()
    },
    client (headers, send) {
      const span = tracer.startSpan('client', { childOf: active.getStore(), tags: { 'span.kind': 'client' } })
      tracer.inject(span, opentracing.FORMAT_HTTP_HEADERS, headers)
      sent.push(hex(span.context().spanId, 16))
      send(() => span.finish())
    },
    current () {
      const sc = active.getStore().context()
      return {
        trace: hex(sc.traceId, 32),
        id: hex(sc.spanId, 16),
        parent: sc.parentId ? hex(sc.parentId, 16) : '',
        sampled: sc.isSampled(),
        tracestate: '',
        baggage: sc._baggage || {}
      }
    },
    async clientSpans () { return sent.splice(0) }
  }
}
