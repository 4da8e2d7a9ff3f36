'use strict'
// OpenTelemetry with its own instrumentation of http and grpc-js, and the propagator that the format names.
const api = require('@opentelemetry/api')
const core = require('@opentelemetry/core')
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node')
const { InMemorySpanExporter, SimpleSpanProcessor, ParentBasedSampler } = require('@opentelemetry/sdk-trace-base')
const { B3Propagator, B3InjectEncoding } = require('@opentelemetry/propagator-b3')
const { JaegerPropagator } = require('@opentelemetry/propagator-jaeger')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { GrpcInstrumentation } = require('@opentelemetry/instrumentation-grpc')

const propagators = {
  w3c: () => [new core.W3CTraceContextPropagator(), new core.W3CBaggagePropagator()],
  b3: () => [new B3Propagator({ injectEncoding: B3InjectEncoding.SINGLE_HEADER }), new core.W3CBaggagePropagator()],
  b3multi: () => [new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }), new core.W3CBaggagePropagator()],
  jaeger: () => [new JaegerPropagator()]
}

exports.create = function (format) {
  const exporter = new InMemorySpanExporter()
  const sampler = new ParentBasedSampler({ root: { shouldSample: () => ({ decision: rootSampled ? 2 : 0 }), toString: () => 'test' } })
  let rootSampled = true
  const provider = new NodeTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register({ propagator: new core.CompositePropagator({ propagators: propagators[format]() }) })
  registerInstrumentations({ tracerProvider: provider, instrumentations: [new HttpInstrumentation(), new GrpcInstrumentation()] })
  const tracer = provider.getTracer('test')
  return {
    grpc: true,
    root ({ sampled, baggage, carrier }, work) {
      rootSampled = sampled
      let ctx = api.propagation.extract(api.ROOT_CONTEXT, carrier || {})
      if (baggage) {
        const entries = Object.fromEntries(Object.entries(baggage).map(([k, value]) => [k, { value }]))
        ctx = api.propagation.setBaggage(ctx, api.propagation.createBaggage(entries))
      }
      return tracer.startActiveSpan('root', {}, ctx, async (span) => {
        try { return await work() } finally { span.end() }
      })
    },
    server (headers, handler) { handler() },
    client (headers, send) { send(() => {}) },
    current () {
      const span = api.trace.getActiveSpan()
      const sc = span.spanContext()
      const baggage = {}
      for (const [k, e] of (api.propagation.getActiveBaggage() || api.propagation.createBaggage()).getAllEntries()) baggage[k] = e.value
      return {
        trace: sc.traceId,
        id: sc.spanId,
        parent: (span.parentSpanContext && span.parentSpanContext.spanId) || '',
        sampled: (sc.traceFlags & 1) === 1,
        tracestate: sc.traceState ? sc.traceState.serialize() : '',
        baggage
      }
    },
    async clientSpans () {
      await provider.forceFlush()
      const spans = exporter.getFinishedSpans().filter((s) => s.kind === api.SpanKind.CLIENT)
      exporter.reset()
      return spans.map((s) => s.spanContext().spanId)
    }
  }
}
