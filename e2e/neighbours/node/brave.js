'use strict'
// zipkin, the client of its own family for Node, with X-B3-*.
const zipkin = require('zipkin')
const CLSContext = require('zipkin-context-cls')

exports.create = function () {
  let sampled = true
  const recorder = { record () {} }
  const tracer = new zipkin.Tracer({
    ctxImpl: new CLSContext('zipkin', true), // with async hooks
    recorder,
    sampler: new zipkin.sampler.Sampler(() => sampled),
    localServiceName: 'node',
    traceId128Bit: true,
    supportsJoin: false // a server makes a span of its own, so that its parent can be seen
  })
  const server = new zipkin.Instrumentation.HttpServer({ tracer, port: 0 })
  const client = new zipkin.Instrumentation.HttpClient({ tracer })
  const sent = []
  const valueOf = (option) => option.getOrElse(undefined)
  return {
    grpc: false,
    root (command, work) {
      sampled = command.sampled
      return tracer.letId(tracer.createRootId(), work)
    },
    server (headers, handler) {
      tracer.scoped(() => {
        const read = (name) => {
          const value = headers[name.toLowerCase()]
          return value === undefined ? zipkin.option.None : new zipkin.option.Some(value)
        }
        const id = server.recordRequest('GET', '/', read)
        tracer.letId(id, handler)
        server.recordResponse(id, '200')
      })
    },
    client (headers, send) {
      tracer.scoped(() => {
        const request = client.recordRequest({ headers }, '/', 'GET')
        Object.assign(headers, request.headers)
        sent.push(headers['X-B3-SpanId'])
        const id = tracer.id
        send(() => tracer.letId(id, () => client.recordResponse(id, '200')))
      })
    },
    current () {
      const id = tracer.id
      return {
        trace: id.traceId.padStart(32, '0'),
        id: id.spanId,
        parent: valueOf(id.parentSpanId) || '',
        sampled: valueOf(id.sampled) === true,
        tracestate: '',
        baggage: {}
      }
    },
    async clientSpans () { return sent.splice(0) }
  }
}
