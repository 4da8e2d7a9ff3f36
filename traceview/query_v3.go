package traceview

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

// The part of Jaeger's query API version 3 that Jaeger UI 2.19 requests beside version 1: services, operations,
// summaries of traces for its search, and one trace as OTLP. Errors have the shape of the gRPC gateway.
// https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto

var errNoTraces = errors.New("no traces found")

func answerV3(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}

func refuseV3(w http.ResponseWriter, status int, err error) {
	type problem struct {
		HTTPCode int    `json:"httpCode"`
		Message  string `json:"message"`
	}
	answerV3(w, status, map[string]problem{"error": {status, err.Error()}})
}

func (v *View) v3Services(w http.ResponseWriter, _ *http.Request) {
	answerV3(w, http.StatusOK, map[string][]string{"services": v.store.serviceNames()})
}

func (v *View) v3Operations(w http.ResponseWriter, r *http.Request) {
	type operation struct {
		Name     string `json:"name"`
		SpanKind string `json:"spanKind"`
	}
	q := r.URL.Query()
	found := []operation{}
	for _, key := range v.store.operationKeys(q.Get("service")) {
		if kind := q.Get("span_kind"); q.Get("service") != "" && (kind == "" || kind == key.kind) {
			found = append(found, operation{key.name, key.kind})
		}
	}
	answerV3(w, http.StatusOK, map[string][]operation{"operations": found})
}

// summaryV3 is a trace in one line. Both spellings of its id are in use.
type summaryV3 struct {
	TraceID           string      `json:"traceId"`
	TraceIDOld        string      `json:"traceID"`
	RootServiceName   string      `json:"rootServiceName"`
	RootOperationName string      `json:"rootOperationName"`
	MinStart          string      `json:"minStartTimeUnixNano"`
	MaxEnd            string      `json:"maxEndTimeUnixNano"`
	SpanCount         int         `json:"spanCount"`
	ErrorSpanCount    int         `json:"errorSpanCount"`
	OrphanSpanCount   int         `json:"orphanSpanCount"`
	Services          []serviceV3 `json:"services"`
}

type serviceV3 struct {
	Name           string `json:"name"`
	SpanCount      int    `json:"spanCount"`
	ErrorSpanCount int    `json:"errorSpanCount"`
}

func (v *View) v3Summaries(w http.ResponseWriter, r *http.Request) {
	f, limit, err := v.v3Filter(r.URL.Query())
	if err != nil {
		refuseV3(w, http.StatusBadRequest, err)
		return
	}
	found, _ := v.store.find(&f, limit)
	out := make([]summaryV3, 0, len(found))
	for i := range found {
		out = append(out, found[i].summaryV3())
	}
	answerV3(w, http.StatusOK, map[string][]summaryV3{"summaries": out})
}

func (s *snapshot) summaryV3() summaryV3 {
	id := traceHex(s.id)
	out := summaryV3{
		TraceID: id, TraceIDOld: id, RootServiceName: s.root.process.Service, RootOperationName: s.root.Name,
		SpanCount: s.spans, ErrorSpanCount: s.failed,
	}
	known, failed := map[uint64]bool{}, map[string]int{}
	first, last := s.list[0].Start, s.list[0].Start // as reported, like the spans that this API answers with
	for _, sp := range s.list {
		if sp.Start.Before(first) {
			first = sp.Start
		}
		if end := sp.Start.Add(sp.Duration); end.After(last) {
			last = end
		}
		known[sp.SpanID] = true
		if sp.failed {
			failed[sp.process.Service]++
		}
	}
	for _, sp := range s.list {
		if sp.ParentID != 0 && !known[sp.ParentID] {
			out.OrphanSpanCount++
		}
	}
	out.MinStart, out.MaxEnd = strconv.FormatInt(first.UnixNano(), 10), strconv.FormatInt(last.UnixNano(), 10)
	for _, svc := range s.services {
		out.Services = append(out.Services, serviceV3{svc.Name, svc.Spans, failed[svc.Name]})
	}
	return out
}

// v3Filter reads the parameters of the search; tags are a JSON object, as in version 1.
func (v *View) v3Filter(q url.Values) (f filter, limit int, err error) {
	old := url.Values{"service": q["query.service_name"], "limit": q["query.num_traces"], "tags": q["query.attributes"],
		"minDuration": q["query.duration_min"], "maxDuration": q["query.duration_max"]}
	for name, key := range map[string]string{"query.start_time_min": "start", "query.start_time_max": "end"} {
		s := q.Get(name)
		if s == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return f, 0, badParam(name, s)
		}
		old.Set(key, strconv.FormatInt(at.UnixMicro(), 10))
	}
	old.Set("operation", q.Get("query.span_name"))
	if q.Has("query.operation_name") {
		old.Set("operation", q.Get("query.operation_name"))
	}
	if q.Has("query.search_depth") {
		old.Set("limit", q.Get("query.search_depth"))
	}
	return v.apiFilter(old)
}

// v3Traces answers a search with whole traces.
func (v *View) v3Traces(w http.ResponseWriter, r *http.Request) {
	f, limit, err := v.v3Filter(r.URL.Query())
	if err != nil {
		refuseV3(w, http.StatusBadRequest, err)
		return
	}
	found, _ := v.store.find(&f, limit)
	if len(found) == 0 {
		refuseV3(w, http.StatusNotFound, errNoTraces)
		return
	}
	var all snapshot
	for i := range found {
		all.list = append(all.list, found[i].list...)
	}
	answerOTLPv3(w, &all)
}

func (v *View) v3Trace(w http.ResponseWriter, r *http.Request) {
	id, ok := parseTraceID(r.PathValue("id"))
	if !ok {
		refuseV3(w, http.StatusBadRequest, badParam("trace_id", r.PathValue("id")))
		return
	}
	snap, ok := v.store.get(id)
	if !ok {
		refuseV3(w, http.StatusNotFound, errNoTraces)
		return
	}
	answerOTLPv3(w, &snap)
}

func answerOTLPv3(w http.ResponseWriter, s *snapshot) {
	w.Header().Set("Content-Type", "application/json")
	batches := s.batches()
	for i := range batches {
		for k := range batches[i].Spans {
			holdContract(&batches[i].Spans[k])
		}
	}
	body := append(otlp.AppendRequestJSON([]byte(`{"result":`), batches), '}')
	_, _ = w.Write(body) // the client has gone
}

// holdContract changes what makes Jaeger UI refuse a whole trace: links without an id are left out, and numbers that
// JSON does not have become text.
func holdContract(s *model.Span) {
	noID := func(r model.Ref) bool { return r.TraceID == model.TraceID{} || r.SpanID == 0 }
	if slices.ContainsFunc(s.Refs, noID) {
		s.Refs = slices.DeleteFunc(slices.Clone(s.Refs), noID)
	}
	s.Tags = finiteTags(s.Tags)
	logs := slices.Clone(s.Logs)
	for i := range logs {
		logs[i].Fields = finiteTags(logs[i].Fields)
	}
	s.Logs = logs
}

func finiteTags(tags []model.Tag) []model.Tag {
	endless := func(t model.Tag) bool { return t.Value.Kind() == model.KindFloat && !finite(t.Value.Float()) }
	if !slices.ContainsFunc(tags, endless) {
		return tags
	}
	tags = slices.Clone(tags)
	for i, t := range tags {
		if endless(t) {
			tags[i].Value = model.String(text(t.Value))
		}
	}
	return tags
}
