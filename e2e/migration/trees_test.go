package migration_test

// trees are what arrives from each scenario before and after it was moved, and how the metrics of RPCs differ. What is
// better afterwards: spans are named by route, the extra span of the client is gone, clients' 4xx are marked, statuses
// of gRPC are there when all went well, too, and codes above 16 are errors.
var trees = []struct {
	scenario, stock, moved string
	rpc                    map[string]int64 // moved, less stock
}{
	{
		scenario: "shop",
		stock: `
"visit /products/1"
  "HTTP Client"
    client "HTTP GET" http.status_code=200
      server "HTTP GET" http.status_code=200
        client "/shop.Stock/Check"
          server "/shop.Stock/Check"
            "SELECT stock"
"visit /products/broken"
  "HTTP Client"
    client "HTTP GET" error=true http.status_code=500
      server "HTTP GET" error=true http.status_code=500
        client "/shop.Stock/Check" error=true response_code=Internal
          server "/shop.Stock/Check" error=true response_code=Internal
"visit /products/none"
  "HTTP Client"
    client "HTTP GET" http.status_code=404
      server "HTTP GET" http.status_code=404
        client "/shop.Stock/Check" error=true response_code=NotFound
          server "/shop.Stock/Check" response_code=NotFound
`,
		moved: `
"visit /products/1"
  client "GET" http.status_code=200
    server "GET /products/{id}" http.status_code=200 http.route=/products/{id}
      client "/shop.Stock/Check" rpc.grpc.status_code=0
        server "/shop.Stock/Check" rpc.grpc.status_code=0
          "SELECT stock"
"visit /products/broken"
  client "GET" error=true http.status_code=500
    server "GET /products/{id}" error=true http.status_code=500 http.route=/products/{id}
      client "/shop.Stock/Check" error=true rpc.grpc.status_code=13
        server "/shop.Stock/Check" error=true rpc.grpc.status_code=13
"visit /products/none"
  client "GET" error=true http.status_code=404
    server "GET /products/{id}" http.status_code=404 http.route=/products/{id}
      client "/shop.Stock/Check" error=true rpc.grpc.status_code=5
        server "/shop.Stock/Check" rpc.grpc.status_code=5
`,
	},
	{
		scenario: "codes",
		stock: `
client "/shop.Stock/Check" error=true response_code=Code(503)
  server "/shop.Stock/Check" response_code=Code(503)
`,
		moved: `
client "/shop.Stock/Check" error=true rpc.grpc.status_code=2
  server "/shop.Stock/Check" error=true rpc.grpc.status_code=2
`,
		rpc: map[string]int64{
			"jaeger-rpc.requests|component=jaeger|error=false": -1,
			"jaeger-rpc.requests|component=jaeger|error=true":  1,
		},
	},
	{
		scenario: "queue",
		stock: `
"send"
  "receive" tenant=acme
`,
		moved: `
"send"
  "receive" tenant=acme
`,
	},
	{
		scenario: "mux",
		stock: `
"visit /nothing"
  "HTTP Client"
    client "HTTP GET" http.status_code=404
      server "HTTP GET" http.status_code=404
"visit /users/7"
  "HTTP Client"
    client "HTTP GET" http.status_code=200
      server "HTTP GET" http.status_code=200
`,
		moved: `
"visit /nothing"
  client "GET" error=true http.status_code=404
    server "GET" http.status_code=404
"visit /users/7"
  client "GET" http.status_code=200
    server "GET /users/{id:[0-9]+}" http.status_code=200 http.route=/users/{id:[0-9]+}
`,
	},
}
