package semconv

// Tags of the process, which OTLP calls resource attributes.
var (
	ServiceName = define(Tag{
		OTel: "service.name", Type: String, Sides: Process, Meaning: "the service; Jaeger has a field for it",
	})
	ServiceVersion = define(Tag{
		OpenTracing: "service.version", InAll: true, Type: String, Sides: Process, When: "Config.Version is set",
		Meaning: "version of the service",
	})
	DeploymentEnvironment = define(Tag{
		OpenTracing: "deployment.environment", OTel: "deployment.environment.name", InAll: true, Type: String, Sides: Process,
		When: "Config.Environment is set", Meaning: "the environment, such as production; both names are written",
	})
	Hostname = define(Tag{
		OpenTracing: "hostname", OTel: "host.name", InAll: true, Type: String, Sides: Process,
		Meaning: "name of the machine; both names are written",
	})
	ProcessPID = define(Tag{
		OpenTracing: "process.pid", InAll: true, Type: Int, Sides: Process, Meaning: "process id",
	})
	ServiceInstanceID = define(Tag{
		OpenTracing: "service.instance.id", InAll: true, Type: String, Sides: Process,
		Meaning: "a random UUID for each start",
	})
	SDKName = define(Tag{
		OpenTracing: "telemetry.sdk.name", InAll: true, Type: String, Sides: Process, Meaning: "spanloom",
	})
	SDKLanguage = define(Tag{
		OpenTracing: "telemetry.sdk.language", InAll: true, Type: String, Sides: Process, Meaning: "go",
	})
	SDKVersion = define(Tag{
		OpenTracing: "telemetry.sdk.version", InAll: true, Type: String, Sides: Process, Meaning: "version of the kit",
	})
)
