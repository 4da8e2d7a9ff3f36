package traceview

import (
	"bytes"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// spanDetail is all that is known about one span.
type spanDetail struct {
	ID       string
	Service  string
	Color    string
	Name     string
	Date     string
	Offset   string
	Duration string
	Self     string // time that no child covers
	Usual    string // how the duration compares with those of the operation
	Curl     string // a command that sends the request of the span again
	Parent   string
	Kind     string
	State    string // W3C tracestate
	Warnings []string
	Tags     []shownTag
	Process  []shownTag
	Logs     []shownLog
	Refs     []shownRef // but the parent
}

type shownTag struct {
	Key, Value, Type string
	Before           string // frames of a stack that every panic has
	Long             bool   // shown as a block
	Bad              bool   // says that something failed
}

type shownLog struct {
	At     string
	Title  string
	Fields []shownTag
	Bad    bool
}

type shownRef struct {
	Type, Trace, Span string
	Other             bool // in another trace
	Here              bool // which is kept
}

// spanFragment is the detail of one span, for the script to put below its row.
func (v *View) spanFragment(w http.ResponseWriter, r *http.Request) {
	snap, ok := v.lookUp(w, r)
	if !ok {
		return
	}
	id, err := parseHex(r.PathValue("span"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	var found *node
	walk(snap.tree(), func(n *node) bool {
		if n.SpanID == id && found == nil {
			found = n
		}
		return found == nil
	})
	if found == nil {
		http.NotFound(w, r)
		return
	}
	v.render(w, traceTemplate, "detail", v.detail(found, snap.summary))
}

// render answers with a part of a page.
func (v *View) render(w http.ResponseWriter, t *template.Template, name string, data any) {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "traceview: "+err.Error(), http.StatusInternalServerError)
		return
	}
	writeHTML(w, http.StatusOK, b.Bytes())
}

func (v *View) detail(n *node, sum *summary) *spanDetail {
	d := &spanDetail{
		ID: spanHex(n.SpanID), Service: n.process.Service, Color: colorClass(sum.color(n.process.Service)), Name: n.Name,
		Date: v.date(n.Start), Offset: showDuration(n.start().Sub(sum.start)), Duration: showDuration(n.Duration),
		Self: showDuration(n.self()), Usual: v.store.usual(n.span), Curl: curlOf(n.span), Kind: n.kind, State: n.TraceState,
		Warnings: n.warnings, Tags: shownTags(n.Tags), Process: shownTags(n.process.Tags),
	}
	if n.skew != "" {
		d.Warnings = append(d.Warnings[:len(d.Warnings):len(d.Warnings)], "This span "+n.skew+".")
	}
	if n.orphan {
		d.Warnings = append(d.Warnings[:len(d.Warnings):len(d.Warnings)], "The parent of this span is not here.")
	}
	if n.ParentID != 0 {
		d.Parent = spanHex(n.ParentID)
	}
	for i := range n.Logs {
		d.Logs = append(d.Logs, showLog(&n.Logs[i], sum.start.Add(-n.shift)))
	}
	for _, r := range n.Refs {
		d.Refs = append(d.Refs, shownRef{strings.ToLower(strings.ReplaceAll(refName(r.Type), "_", " ")),
			traceHex(r.TraceID), spanHex(r.SpanID), r.TraceID != n.TraceID, v.store.has(r.TraceID)})
	}
	return d
}

func showLog(l *model.Log, zero time.Time) shownLog {
	out := shownLog{At: showDuration(l.Time.Sub(zero)), Fields: shownTags(l.Fields)}
	for i, f := range out.Fields {
		if f.Key == "event" || f.Key == "name" {
			out.Title = f.Value
			out.Bad = f.Value == "error" || f.Value == "exception"
			out.Fields = append(out.Fields[:i:i], out.Fields[i+1:]...)
			break
		}
	}
	return out
}

func shownTags(tags []model.Tag) []shownTag {
	out := make([]shownTag, len(tags))
	for i, t := range tags {
		s := pretty(t.Key, text(t.Value))
		before := ""
		if isStack(t.Key) {
			before, s = splitStack(s)
		}
		out[i] = shownTag{
			Key: t.Key, Value: s, Before: before, Type: jaegerValue(t).Type,
			Long: strings.Contains(s, "\n") || len(s) > 200 || before != "",
			Bad: t.Key == "error" && truthy(t.Value) || strings.HasPrefix(t.Key, "error.") ||
				t.Key == "otel.status_code" && s == "ERROR",
		}
	}
	return out
}

// curlOf writes the request of an HTTP span as a command, without the headers and the body, which spans do not have.
func curlOf(sp *span) string {
	method, address := "GET", ""
	for _, key := range []string{"http.method", "http.request.method"} {
		if v, ok := sp.tag(key); ok {
			method = text(v)
		}
	}
	for _, key := range []string{"http.url", "url.full"} {
		if v, ok := sp.tag(key); ok {
			address = text(v)
		}
	}
	if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		return ""
	}
	return "curl -X " + shellQuote(method) + " " + shellQuote(address)
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
