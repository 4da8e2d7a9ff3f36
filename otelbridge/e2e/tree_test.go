package e2e

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
)

// all returns all spans that have arrived.
func (c *collector) all() (spans []received) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ss := range c.scopes {
		for _, s := range ss.Spans {
			spans = append(spans, received{s, ss.Scope, ss.SchemaUrl})
		}
	}
	return spans
}

// tree writes the spans that have arrived as text, each one below its parent, in the order of their starts. A span
// whose parent is missing is at the top, marked by an exclamation mark, and one in the trace of another root, too.
func (c *collector) tree(describe func(received) []string) string {
	all := c.all()
	slices.SortStableFunc(all, func(a, b received) int {
		return cmp.Or(cmp.Compare(a.StartTimeUnixNano, b.StartTimeUnixNano), cmp.Compare(a.Name, b.Name))
	})
	byID, children := map[string]received{}, map[string][]received{}
	for _, s := range all {
		byID[string(s.SpanId)] = s
	}
	for _, s := range all {
		parent, known := byID[string(s.ParentSpanId)]
		switch {
		case known && string(parent.TraceId) == string(s.TraceId):
			children[string(s.ParentSpanId)] = append(children[string(s.ParentSpanId)], s)
		default:
			children[""] = append(children[""], s)
		}
	}
	var text strings.Builder
	var write func(parent, indent string)
	write = func(parent, indent string) {
		for _, s := range children[parent] {
			if parent == "" && len(s.ParentSpanId) > 0 {
				text.WriteString("! parent is missing: ")
			}
			for i, line := range append(describe(s), linksOf(s, byID)...) {
				if i > 0 {
					line = "\t" + line
				}
				text.WriteString(indent + line + "\n")
			}
			write(string(s.SpanId), indent+"  ")
		}
	}
	write("", "")
	return text.String()
}

// short describes a span by its name and kind.
func short(s received) []string {
	kind := strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_"))
	return []string{fmt.Sprintf("%s (%s)", s.Name, kind)}
}

// detailed describes a span of a library by all that is not random, such as ids, times and ports.
func detailed(s received) []string {
	lines := short(s)
	if s.Status.GetCode() != 0 || s.Status.GetMessage() != "" {
		lines = append(lines, fmt.Sprintf("status %v %q", s.Status.GetCode(), scrub(s.Status.GetMessage())))
	}
	lines = append(lines, fmt.Sprintf("flags %#x, state %q", s.Flags, s.TraceState))
	if n := []uint32{s.DroppedAttributesCount, s.DroppedEventsCount, s.DroppedLinksCount}; slices.Max(n) > 0 {
		lines = append(lines, fmt.Sprint("dropped attributes, events, links: ", n))
	}
	if isApplication(s.scope.GetName()) {
		return lines
	}
	if scope := s.scope; scope.GetName() != "" {
		lines = append(lines, "scope "+scope.GetName()+" "+scope.GetVersion()+" "+s.schema+attributes(scope.Attributes))
	}
	if kv := attributes(s.Attributes); kv != "" {
		lines = append(lines, "attributes"+kv)
	}
	for _, e := range s.Events {
		lines = append(lines, "event "+e.Name+attributes(e.Attributes))
	}
	return lines
}

func linksOf(s received, byID map[string]received) (lines []string) {
	for _, l := range s.Links {
		to := "a span that is missing"
		if target, ok := byID[string(l.SpanId)]; ok && string(target.TraceId) == string(l.TraceId) {
			to = target.Name
		}
		lines = append(lines, fmt.Sprintf("link to %s, flags %#x, state %q%s", to, l.Flags, l.TraceState, attributes(l.Attributes)))
	}
	return lines
}

var address = regexp.MustCompile(`\b(127\.0\.0\.1|\[::1\]|localhost):\d+`)

func scrub(s string) string { return address.ReplaceAllString(s, "ADDRESS") }

// random are the keys of attributes with values that differ from run to run.
func isRandom(key string) bool {
	return strings.HasSuffix(key, ".port") || key == "exception.stacktrace"
}

func attributes(kvs []*commonpb.KeyValue) string {
	lines := make([]string, 0, len(kvs))
	for _, kv := range kvs {
		value := "RANDOM"
		if !isRandom(kv.Key) {
			value = scrub(valueText(kv.Value))
		}
		lines = append(lines, fmt.Sprintf(" %s=%s", kv.Key, value))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// valueText writes a value with its type.
func valueText(v *commonpb.AnyValue) string {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return fmt.Sprintf("%q", v.StringValue)
	case *commonpb.AnyValue_DoubleValue:
		return fmt.Sprintf("float(%v)", v.DoubleValue)
	case *commonpb.AnyValue_BytesValue:
		return fmt.Sprintf("bytes(%x)", v.BytesValue)
	case *commonpb.AnyValue_ArrayValue:
		texts := []string{}
		for _, e := range v.ArrayValue.Values {
			texts = append(texts, valueText(e))
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case *commonpb.AnyValue_KvlistValue:
		texts := []string{}
		for _, kv := range v.KvlistValue.Values {
			texts = append(texts, fmt.Sprintf("%q: %s", kv.Key, valueText(kv.Value)))
		}
		return "{" + strings.Join(texts, ", ") + "}"
	case *commonpb.AnyValue_BoolValue:
		return fmt.Sprint(v.BoolValue)
	case *commonpb.AnyValue_IntValue:
		return fmt.Sprint(v.IntValue)
	}
	return "none"
}

var linkDetails = regexp.MustCompile(`(link to [^,\n]*),[^\n]*`)

// wantTree compares the names, kinds, places and links of all spans that have arrived.
func (c *collector) wantTree(t *testing.T, want string) {
	t.Helper()
	if got := linkDetails.ReplaceAllString(c.tree(short), "$1"); got != want {
		t.Errorf("the spans are\n%swant\n%s", got, want)
	}
}

// wantSpansOf checks that the spans of a library are like some that it has with the SDK, but for their parents.
func (c *collector) wantSpansOf(t *testing.T, library string, sdk *collector) {
	t.Helper()
	text := func(s received) string {
		s.Flags = 0 // whether the parent is remote
		return strings.Join(detailed(s), "\n")
	}
	with := map[string]bool{}
	for _, s := range sdk.all() {
		with[text(s)] = true
	}
	compared := 0
	for _, s := range c.all() {
		if s.scope.GetName() != library {
			continue
		}
		compared++
		if got := text(s); !with[got] {
			t.Errorf("there is no such span with the SDK:\n%s\nbut\n%s", got, sdk.tree(detailed))
		}
	}
	if compared == 0 {
		t.Errorf("no span of %s was compared", library)
	}
}

// wantParentOf checks that the span that OpenTelemetry has found in a context is the parent of the one that was started
// with this name in it.
func (c *collector) wantParentOf(t *testing.T, name string, sc trace.SpanContext) {
	t.Helper()
	for _, s := range c.all() {
		if s.Name != name {
			continue
		}
		traceID, spanID := trace.TraceID(s.TraceId), trace.SpanID(s.ParentSpanId)
		if sc.TraceID() != traceID || sc.SpanID() != spanID || !sc.IsSampled() || sc.IsRemote() {
			t.Errorf("%s has the parent %v in %v, and OpenTelemetry sees %v", name, spanID, traceID, sc)
		}
		return
	}
	t.Errorf("no span %q", name)
}
