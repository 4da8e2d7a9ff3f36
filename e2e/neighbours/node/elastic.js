'use strict'
// elastic-apm-node, which patches http and speaks W3C Trace Context.
exports.create = function () {
  const apm = require('elastic-apm-node').start({
    serviceName: 'node', disableSend: true, centralConfig: false, metricsInterval: '0s', logLevel: 'off', cloudProvider: 'none',
    captureSpanStackTraces: false
  })
  return {
    grpc: false,
    root ({ sampled, carrier }, work) {
      const childOf = (carrier && carrier.traceparent) || undefined
      apm._conf.transactionSampleRate = sampled ? 1 : 0
      const transaction = apm.startTransaction('root', 'test', {
        childOf, ...(carrier && carrier.tracestate ? { tracestate: carrier.tracestate } : {})
      })
      return Promise.resolve(work()).finally(() => transaction.end())
    },
    server (headers, handler) { handler() },
    client (headers, send) { send(() => {}) },
    current () {
      const transaction = apm.currentTransaction
      const context = transaction._context
      return {
        trace: transaction.traceId,
        id: transaction.id,
        parent: transaction.parentId || '',
        sampled: transaction.sampled,
        tracestate: context.tracestate ? context.toTraceStateString() || '' : '',
        baggage: {}
      }
    },
    async clientSpans () { return [] }
  }
}
