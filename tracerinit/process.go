package tracerinit

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// processTag is a tag of the process: what every span of this program has in common.
type processTag struct {
	key   string
	value any // a string, bool, int64 or float64
}

// processTags merges what was given with what is known of the process, sorted by key.
func (r *resolver) processTags(cfg Config, a attributes) []processTag {
	byKey, known := map[string]processTag{}, automaticTags()
	put := func(key, code, def string, more ...candidate[string]) {
		c := choose(r, code, def, append([]candidate[string]{a.fromJaeger(key), a.fromOTel(key)}, more...)...)
		if c.value == "" {
			return
		}
		byKey[key] = processTag{key, c.value}
		switch typed, given := a.typed[key]; {
		case c.source == sourceDefault:
			byKey[key] = processTag{key, known[key]}
		case c.source == sourceCode && given && code == a.code[key] &&
			key != "ip": // jaeger-client-go needs a string there
			byKey[key] = processTag{key, typed}
		}
		shown := shownText(c.value)
		if semconv.IsSecret(key) {
			shown = mask
		}
		r.note("tag."+key, shown, c.source, c.overrides...)
	}
	put("service.version", cmp.Or(cfg.Version, a.code["service.version"]), "")
	const environment = "deployment.environment"
	put(environment, cmp.Or(cfg.Environment, a.code[environment]), "", a.fromOTel(environment+".name"))
	if tag, ok := byKey[environment]; ok {
		byKey[environment+".name"] = processTag{environment + ".name", tag.value}
	}
	keys := map[string]bool{}
	for _, given := range []map[string]string{a.code, a.jaeger, a.otel} {
		for k := range given {
			keys[k] = true
		}
	}
	for k := range known {
		keys[k] = true
	}
	for _, k := range sortedKeys(keys) {
		if _, done := byKey[k]; !done && k != "service.name" {
			put(k, a.code[k], textOf(known[k]))
		}
	}
	return slices.SortedFunc(maps.Values(byKey), func(x, y processTag) int { return strings.Compare(x.key, y.key) })
}

// automaticTags are the tags nobody has to give. hostname is Jaeger's word, host.name OpenTelemetry's; jaeger-client-go
// adds ip and jaeger.version.
func automaticTags() map[string]any {
	id := make([]byte, 16)
	rand.Read(id)
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	tags := map[string]any{
		"process.pid":            int64(os.Getpid()),
		"service.instance.id":    fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]),
		"telemetry.sdk.name":     "spanloom",
		"telemetry.sdk.language": "go",
		"telemetry.sdk.version":  kitVersion(),
	}
	if host, err := os.Hostname(); err == nil {
		tags["hostname"], tags["host.name"] = host, host
	}
	return tags
}

func textOf(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

const kitModule = "github.com/spanloom/spanloom"

func kitVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == kitModule && m.Version != "" {
			return m.Version
		}
	}
	return "(devel)"
}

// processOf is the process as exporters write it. Of two tags with one key the first counts.
func processOf(service string, tags []opentracing.Tag) *model.Process {
	p := &model.Process{Service: service}
	seen := map[string]bool{}
	for _, tag := range tags {
		if !seen[tag.Key] {
			seen[tag.Key] = true
			p.Tags = append(p.Tags, model.Tag{Key: tag.Key, Value: model.ValueOf(tag.Value, 0)})
		}
	}
	return p
}
