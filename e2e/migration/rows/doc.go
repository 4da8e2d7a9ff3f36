// Package rows holds the code of the tables in docs/migrating.md, before and after, so that it compiles: a test finds
// each cell here. Nothing of it runs. The code after a move uses [httpmw.Middleware], [grpcmw.ServerOptions] and
// [tracerinit.Start].
package rows

var _ = []any{
	stockConfig, kitConfig, fields, optional, mixed, stockNethttp, kitHTTP, stockOTel, kitChi, kitMux, stockOtgrpc,
	stockOtelgrpc,
	kitGRPC, kitLogging,
}
