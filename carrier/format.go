package carrier

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Format is a way to write a span context.
type Format uint8

const (
	W3C     Format = iota // traceparent and tracestate, level 2
	Jaeger                // uber-trace-id and jaeger-debug-id
	B3                    // b3, the single header
	B3Multi               // x-b3-traceid, x-b3-spanid, x-b3-sampled and so on
	formats
)

// formatTable is what is known of each format besides how to read and write it. A new format is a file format_*.go, a
// constant, a row here and a case in each of the two switches below. The switches are no functions in the table
// because a call through a variable would move the carrier and the text that is written to the heap on each request.
var formatTable = [formats]struct {
	name   string
	fields fieldSet // all keys
	lead   field    // the key without which the others mean nothing
	span   field    // the key that has the span id
}{
	W3C:     {"tracecontext", 1<<traceparent | 1<<tracestate, traceparent, traceparent},
	Jaeger:  {"jaeger", 1<<uberTraceID | 1<<jaegerDebugID, uberTraceID, uberTraceID},
	B3:      {"b3", 1 << b3, b3, b3},
	B3Multi: {"b3multi", b3MultiFields, b3TraceID, b3SpanID},
}

// read returns the context in format f. It is not ok if there is nothing, or nothing valid.
func (in *incoming) read(f Format) (r remote, ok bool) {
	switch f {
	case W3C:
		return in.readW3C()
	case Jaeger:
		return in.readJaeger()
	case B3:
		return in.readB3()
	case B3Multi:
		return in.readB3Multi()
	}
	return remote{}, false
}

// write appends r in format f to text and returns it. It notes in o which fields the new parts are for.
func (o *outgoing) write(text []byte, f Format, r *remote) []byte {
	switch f {
	case W3C:
		return o.writeW3C(text, r)
	case Jaeger:
		return o.writeJaeger(text, r)
	case B3:
		return o.writeB3(text, r)
	case B3Multi:
		return o.writeB3Multi(text, r)
	}
	return text
}

// String returns the name that [Parse] reads.
func (f Format) String() string {
	if f < formats {
		return formatTable[f].name
	}
	return "format " + strconv.Itoa(int(f))
}

// MarshalText returns the same name, so that [Stats] reads well as JSON.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads one name as [Parse] does.
func (f *Format) UnmarshalText(text []byte) error {
	list, err := Parse(string(text))
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("carrier: %q is not one propagation format", text)
	}
	if err != nil {
		return err
	}
	*f = list[0]
	return nil
}

// Parse reads a list of formats as OTEL_PROPAGATORS has it: tracecontext (or w3c), jaeger, b3, b3multi, separated by
// commas; blanks, letter case and repetitions do not matter. "baggage" and "none" name no format, so "none" yields an
// empty list; an empty string yields nil, the default. Unknown names are an error, with which the known formats are
// returned.
func Parse(names string) ([]Format, error) { return parse(names, B3) }

// ParseJaeger reads a list of formats as JAEGER_PROPAGATION has it. It is [Parse], but for "b3", which is [B3Multi]
// to the clients of Jaeger; the single header is "b3single".
func ParseJaeger(names string) ([]Format, error) { return parse(names, B3Multi) }

// parse reads a list of formats, in which "b3" means the given one.
func parse(names string, b3 Format) ([]Format, error) {
	if strings.TrimSpace(names) == "" {
		return nil, nil
	}
	list, unknown := []Format{}, []string(nil)
	for name := range strings.SplitSeq(names, ",") {
		var f Format
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "tracecontext", "w3c":
			f = W3C
		case "jaeger":
			f = Jaeger
		case "b3":
			f = b3
		case "b3single":
			f = B3
		case "b3multi":
			f = B3Multi
		case "", "none", "baggage":
			continue
		default:
			unknown = append(unknown, strconv.Quote(name))
			continue
		}
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	if unknown != nil {
		return list, fmt.Errorf("carrier: unknown propagation format %s; known are tracecontext, w3c, jaeger, b3, "+
			"b3single, b3multi, baggage, none", strings.Join(unknown, ", "))
	}
	return list, nil
}
