package otlpgrpc_test

import (
	"fmt"

	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

// A vendor's endpoint that wants a token in the metadata. Start needs no network.
func ExampleNew() {
	token := "aaa@bbb_ccc@ddd"
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "inventory",
		Exporters: []tracerinit.Exporter{
			otlpgrpc.New("collector.example.com:8090", otlpgrpc.WithHeaders(map[string]string{"Authentication": token})),
		},
		Local:     true,
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tracer.Close()
	s := tracer.Stats().Exporters[0]
	fmt.Println(s.Name, s.Endpoint)
	// Output:
	// otlp/grpc collector.example.com:8090
}
