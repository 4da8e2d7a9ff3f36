package tracerinit

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
)

// processTag is a tag of the process: what every span of this program has in common.
type processTag struct {
	key   string
	value any // a string, bool, int64 or float64
}

// attributes are the process tags that were given, by family.
type attributes struct {
	code, jaeger, otel map[string]string
	typed              map[string]any // code's, with their types
}

func (r *resolver) attributes(code map[string]any) attributes {
	a := attributes{code: map[string]string{}, typed: map[string]any{}, jaeger: r.jaegerTags(), otel: r.resourceAttributes()}
	for k, v := range code {
		if k = strings.TrimSpace(k); k == "" || v == nil {
			continue
		}
		a.typed[k] = plain(v)
		a.code[k] = fmt.Sprint(a.typed[k])
	}
	return a
}

// plain reduces v to a type that needs no method of the user's to be written.
func plain(v any) any {
	switch value := model.ValueOf(v, 0); value.Kind() {
	case model.KindBool:
		return value.Bool()
	case model.KindInt:
		return value.Int()
	case model.KindFloat:
		return value.Float()
	default:
		return value.Str()
	}
}

func (a attributes) fromJaeger(key string) candidate[string] {
	return candidate[string]{"JAEGER_TAGS", a.jaeger[key], text}
}

func (a attributes) fromOTel(key string) candidate[string] {
	return candidate[string]{"OTEL_RESOURCE_ATTRIBUTES", a.otel[key], text}
}

// processTags merges what was given with what is known of the process, sorted by key.
func (r *resolver) processTags(cfg Config, a attributes) []processTag {
	byKey, known := map[string]processTag{}, automaticTags()
	put := func(key, code, def string, more ...candidate[string]) {
		value, source := choose(r, code, def, append([]candidate[string]{a.fromJaeger(key), a.fromOTel(key)}, more...)...)
		if value == "" {
			return
		}
		byKey[key] = processTag{key, value}
		switch typed, given := a.typed[key]; {
		case source == byDefault:
			byKey[key] = processTag{key, known[key]}
		case source == inCode && given && code == a.code[key] && key != "ip": // jaeger-client-go insists on a string there
			byKey[key] = processTag{key, typed}
		}
		if export.Secretive(key) {
			value = mask
		}
		r.note("tag."+key, value, source)
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
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if _, done := byKey[k]; !done && k != "service.name" {
			put(k, a.code[k], shown(known[k]))
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

func shown(v any) string {
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

// jaegerTags reads JAEGER_TAGS: key=value, separated by commas, where a value ${NAME:default} is that of another
// variable.
func (r *resolver) jaegerTags() map[string]string {
	return r.pairs("JAEGER_TAGS", func(value string) (string, error) {
		inner, ok := strings.CutPrefix(value, "${")
		if inner, ok2 := strings.CutSuffix(inner, "}"); ok && ok2 {
			name, def, _ := strings.Cut(inner, ":")
			if v := r.get(name); v != "" {
				return v, nil
			}
			return def, nil
		}
		return value, nil
	})
}

// resourceAttributes reads OTEL_RESOURCE_ATTRIBUTES: key=value, separated by commas, percent-encoded.
func (r *resolver) resourceAttributes() map[string]string {
	return r.pairs("OTEL_RESOURCE_ATTRIBUTES", url.PathUnescape)
}

// pairs reads a list of key=value, separated by commas. Empty entries are passed over.
func (r *resolver) pairs(variable string, decode func(string) (string, error)) map[string]string {
	raw := r.get(variable)
	out := map[string]string{}
	n := 0
	for entry := range strings.SplitSeq(raw, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		n++
		k, v, ok := strings.Cut(entry, "=")
		k = strings.TrimSpace(k)
		v, err := decode(strings.TrimSpace(v))
		if ok && k != "" && err == nil {
			out[k] = v
			continue
		}
		want := wanted(fmt.Sprintf("key=value,key=value; entry %d is not", n))
		r.wrong(variable, raw, want)
	}
	return out
}
