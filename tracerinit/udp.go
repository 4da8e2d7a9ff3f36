package tracerinit

import "github.com/spanloom/spanloom/internal/export"

// JaegerUDP sends spans as Jaeger thrift compact to an agent.
func JaegerUDP(hostPort string) Exporter { return export.Factory{Name: "jaeger/udp"} }
