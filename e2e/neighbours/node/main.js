'use strict'
// One Node service that is traced by the library that KIND names. It takes commands as lines of JSON on its standard
// input and answers with lines of JSON on its standard output: those are not traced, whatever a library patches.
const kind = process.env.KIND
const [library, format] = kind.split(':')
const adapter = require(`./${library}`).create(format) // before http and grpc-js, which it may patch
const http = require('http')
const readline = require('readline')

const seen = [] // what each handler that ran has seen as its own span

function handle () { seen.push({ kind: 'server', ...adapter.current() }) }

function get (url) {
  return new Promise((resolve, reject) => {
    const u = new URL(url)
    const options = { host: u.hostname, port: u.port, path: u.pathname, agent: false, headers: {} }
    adapter.client(options.headers, (done) => {
      const request = http.request(options, (response) => {
        response.resume()
        response.on('end', () => {
          done()
          response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`))
        })
      })
      request.on('error', (err) => { done(); reject(err) })
      request.end()
    })
  })
}

const server = http.createServer((request, response) => {
  adapter.server(request.headers, () => {
    handle()
    response.end('ok')
  })
})

const rpc = adapter.grpc ? require('./rpc').create(adapter, handle) : null

async function run (command) {
  switch (command.op) {
    case 'call':
      await adapter.root(command, () => command.grpc ? rpc.call(command.grpc) : get(command.http))
      return {}
    case 'spans':
      return { seen: seen.splice(0), sent: await adapter.clientSpans() }
    default:
      throw new Error(`unknown command ${command.op}`)
  }
}

server.listen(0, '127.0.0.1', async () => {
  const ports = { http: server.address().port }
  if (rpc) ports.grpc = await rpc.listen()
  process.stdout.write(JSON.stringify(ports) + '\n')
  readline.createInterface({ input: process.stdin })
    .on('line', async (line) => {
      let answer
      try {
        answer = await run(JSON.parse(line))
      } catch (err) {
        answer = { error: String(err && err.stack) }
      }
      process.stdout.write(JSON.stringify(answer) + '\n')
    })
    .on('close', () => process.exit(0))
})
