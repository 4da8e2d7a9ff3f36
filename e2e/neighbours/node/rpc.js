'use strict'
// The one unary method that the chains call, over messages that nobody reads.
const grpc = require('@grpc/grpc-js')

const bytes = { serialize: (b) => b, deserialize: (b) => b }
const definition = {
  GetStock: {
    path: '/inventory.v1.Inventory/GetStock',
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes.serialize,
    requestDeserialize: bytes.deserialize,
    responseSerialize: bytes.serialize,
    responseDeserialize: bytes.deserialize
  }
}

exports.create = function (adapter, handle) {
  const Client = grpc.makeGenericClientConstructor(definition, 'Inventory')
  const server = new grpc.Server()
  server.addService(definition, {
    GetStock (call, callback) {
      adapter.server(Object.fromEntries(Object.entries(call.metadata.getMap())), () => {
        handle()
        callback(null, Buffer.alloc(0))
      })
    }
  })
  return {
    listen: () => new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(),
        (err, port) => err ? reject(err) : resolve(port))
    }),
    call: (target) => new Promise((resolve, reject) => {
      const client = new Client(target, grpc.credentials.createInsecure())
      const headers = {}
      adapter.client(headers, (done) => {
        const metadata = new grpc.Metadata()
        for (const [key, value] of Object.entries(headers)) metadata.set(key, value)
        client.GetStock(Buffer.alloc(0), metadata, (err) => {
          done()
          client.close()
          err ? reject(err) : resolve()
        })
      })
    })
  }
}
