//go:build !jaeger2

package jaeger

// Version2 reports whether the tests run against Jaeger v2.
const Version2 = false

// version1Flags are the flags of Jaeger v1. The addresses are those that Start chose.
func version1Flags(j *Jaeger, addr []string) []string {
	return []string{
		"--processor.jaeger-compact.server-host-port=" + j.UDP,
		"--processor.jaeger-compact.server-socket-buffer-size=4000000",
		"--processor.jaeger-binary.server-host-port=" + addr[7],
		"--processor.zipkin-compact.server-host-port=" + addr[8],
		"--http-server.host-port=" + addr[1],
		"--reporter.grpc.host-port=" + j.GRPC,
		"--collector.http-server.host-port=" + addr[2],
		"--collector.grpc-server.host-port=" + j.GRPC,
		"--collector.otlp.http.host-port=" + addr[3],
		"--collector.otlp.grpc.host-port=" + addr[4],
		"--collector.queue-size=100000",
		"--query.http-server.host-port=" + addr[5],
		"--query.grpc-server.host-port=" + addr[9],
		"--sampling.strategies-file=" + j.strategies,
		"--sampling.strategies-reload-interval=50ms",
	}
}
