package tracerinit

import (
	"os"
	"path/filepath"
)

// service reads the name of the service, of which attrs may have one, too.
func (r *resolver) service(code string, attrs attributes) string {
	c := choose(r, code, "unknown_service:"+filepath.Base(os.Args[0]),
		from(r, "JAEGER_SERVICE_NAME", anyText), attrs.fromJaeger("service.name"),
		from(r, "OTEL_SERVICE_NAME", anyText), attrs.fromOTel("service.name"))
	r.note("service", shownText(c.value), c.source, c.overrides...)
	return c.value
}
