package traceview

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/internal/thrift"
)

const (
	maxBody  = 16 << 20         // bytes of a request, after decompression
	maxPosts = 4                // bodies in memory at the same time
	postTime = 30 * time.Second // to send one
)

// decodeLimits bounds what one request may make of itself in memory.
var decodeLimits = model.DecodeLimits{
	Spans: 100_000, Tags: limits.Tags, Logs: limits.Logs, Refs: 256, ValueBytes: limits.ValueBytes, Memory: 64 << 20,
}

// refusal is an error with the status of the answer to its sender.
type refusal struct {
	status int
	text   string
}

func (e *refusal) Error() string { return e.text }

// ingestOTLP takes an ExportTraceServiceRequest, as a collector does.
func (v *View) ingestOTLP(w http.ResponseWriter, r *http.Request) {
	kind := mediaType(r)
	json := kind == "application/json"
	rejected, err := v.ingest(w, r, func(body []byte) ([]model.Batch, error) {
		switch kind {
		case "application/json":
			if isJaegerJSON(body) {
				return nil, &refusal{http.StatusBadRequest,
					"this is Jaeger's JSON, not OTLP: POST it to /import of the page, or drop the file on it"}
			}
			return otlp.DecodeRequestJSON(body, decodeLimits)
		case "application/x-protobuf", "application/protobuf":
			return otlp.DecodeRequest(body, decodeLimits)
		}
		return nil, &refusal{http.StatusUnsupportedMediaType,
			fmt.Sprintf("content type %.100q is not OTLP: application/x-protobuf or application/json", kind)}
	})
	const invalidArgument, unavailable = 3, 14
	switch status, message := refusalOf(err); {
	case status == http.StatusServiceUnavailable:
		answerOTLP(w, status, json, otlp.AppendStatus, otlp.AppendStatusJSON, int32(unavailable), message)
	case err != nil:
		answerOTLP(w, status, json, otlp.AppendStatus, otlp.AppendStatusJSON, int32(invalidArgument), message)
	case rejected > 0:
		const why = "over the limit of spans or bytes of one trace"
		answerOTLP(w, status, json, otlp.AppendResponse, otlp.AppendResponseJSON, int64(rejected), why)
	default:
		answerOTLP(w, status, json, otlp.AppendResponse, otlp.AppendResponseJSON, int64(0), "")
	}
}

// answerOTLP writes a message in the encoding of the request.
func answerOTLP[N int32 | int64](w http.ResponseWriter, status int, json bool,
	proto, text func([]byte, N, string) []byte, n N, message string) {
	contentType, body := "application/x-protobuf", proto
	if json {
		contentType, body = "application/json", text
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body(nil, n, message)) // the sender has gone
}

// ingestThrift takes a batch of Jaeger's thrift in the binary protocol, as a collector does.
func (v *View) ingestThrift(w http.ResponseWriter, r *http.Request) {
	_, err := v.ingest(w, r, func(body []byte) ([]model.Batch, error) {
		switch kind := mediaType(r); kind {
		case "application/x-thrift", "application/vnd.apache.thrift.binary":
			batch, err := thrift.DecodeBatchBinary(body, decodeLimits)
			return []model.Batch{batch}, err
		default:
			return nil, &refusal{http.StatusUnsupportedMediaType,
				fmt.Sprintf("content type %.100q is not Jaeger's thrift: application/vnd.apache.thrift.binary", kind)}
		}
	})
	if err != nil {
		status, message := refusalOf(err)
		http.Error(w, message, status)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// ingest reads, decodes and stores one body, and returns how many of its spans were not kept.
func (v *View) ingest(w http.ResponseWriter, r *http.Request,
	decode func([]byte) ([]model.Batch, error)) (rejected int, err error) {
	err = v.withBody(w, r, func(body []byte) error {
		batches, err := decode(body)
		if err == nil {
			rejected = v.store.addBatches(batches)
		}
		return err
	})
	return rejected, err
}

// withBody calls use with the body of the request, for at most maxPosts requests at the same time.
func (v *View) withBody(w http.ResponseWriter, r *http.Request, use func(body []byte) error) error {
	select {
	case v.posts <- struct{}{}:
		defer func() { <-v.posts }()
	case <-r.Context().Done():
		return &refusal{http.StatusServiceUnavailable, "too many requests at the same time"}
	}
	body, err := readBody(w, r)
	if err == nil {
		err = use(body)
	}
	if err != nil {
		v.refused.Add(1)
	}
	return err
}

// ingestZipkin takes a list of spans of Zipkin's API, version 2, as its collector does.
func (v *View) ingestZipkin(w http.ResponseWriter, r *http.Request) {
	_, err := v.ingest(w, r, func(body []byte) ([]model.Batch, error) {
		if kind := mediaType(r); kind != "application/json" {
			return nil, &refusal{http.StatusUnsupportedMediaType,
				fmt.Sprintf("content type %.100q is not Zipkin's JSON: application/json", kind)}
		}
		return decodeZipkinJSON(body)
	})
	if err != nil {
		status, message := refusalOf(err)
		http.Error(w, message, status)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// readBody undoes the compression and reads at most maxBody.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(postTime)) // not every writer has one
	var body io.Reader = http.MaxBytesReader(w, r.Body, maxBody)
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = unzipped
	default:
		return nil, &refusal{http.StatusUnsupportedMediaType,
			fmt.Sprintf("content encoding %.100q is not known: gzip or none", encoding)}
	}
	return readAtMost(body, maxBody)
}

// readAtMost reads all of r, which is too large if it is longer than most.
func readAtMost(r io.Reader, most int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err == nil && len(b) > most {
		err = model.ErrTooLarge
	}
	return b, err
}

// refusalOf returns the answer to a request that failed with err; OK if it did not.
func refusalOf(err error) (status int, text string) {
	var known *refusal
	var long *http.MaxBytesError
	switch {
	case err == nil:
		return http.StatusOK, ""
	case errors.As(err, &known):
		return known.status, known.text
	case errors.As(err, &long), errors.Is(err, model.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, "the request is too large"
	}
	return http.StatusBadRequest, err.Error()
}

func mediaType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return r.Header.Get("Content-Type")
	}
	return kind
}
