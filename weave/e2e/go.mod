module github.com/spanloom/spanloom/weave/e2e

go 1.26.0

replace (
	github.com/spanloom/spanloom => ../../
	github.com/spanloom/spanloom/tracerinit/jaegercfg => ../../tracerinit/jaegercfg
	github.com/spanloom/spanloom/weave => ../
)

require (
	github.com/go-chi/chi/v5 v5.2.5
	github.com/opentracing/opentracing-go v1.2.0
	github.com/spanloom/spanloom/weave v0.0.0-00010101000000-000000000000
	github.com/uber/jaeger-client-go v2.30.0+incompatible
	go.uber.org/goleak v1.3.0
	google.golang.org/grpc v1.68.0
	google.golang.org/protobuf v1.34.2
)

require (
	github.com/cenkalti/backoff/v5 v5.0.2 // indirect
	github.com/felixge/httpsnoop v1.1.0 // indirect
	github.com/google/go-cmp v0.6.0
	github.com/grpc-ecosystem/go-grpc-middleware/v2 v2.1.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/spanloom/spanloom v0.0.0-00010101000000-000000000000
	github.com/spanloom/spanloom/tracerinit/jaegercfg v0.0.0-00010101000000-000000000000 // indirect
	github.com/uber/jaeger-lib v2.4.1+incompatible // indirect
	go.uber.org/atomic v1.9.0 // indirect
	golang.org/x/net v0.29.0 // indirect
	golang.org/x/sys v0.25.0 // indirect
	golang.org/x/text v0.18.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20240903143218-8af14fe29dc1 // indirect
)
