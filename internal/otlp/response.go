package otlp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// PartialSuccess reads an ExportTraceServiceResponse, the body of a 200 answer: how many spans the backend refused and
// why. It is in protobuf, or in JSON, which some receivers answer with whatever they got. A message without a count is
// a warning. An empty body means that all were taken.
func PartialSuccess(body []byte) (rejected int64, message string, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return partialSuccessJSON(body)
	}
	err = eachField(body, func(f field) error {
		if f.num != responsePartialSuccess || f.typ != protowire.BytesType {
			return nil
		}
		return eachField(f.bytes, func(f field) error {
			switch {
			case f.num == partialRejected && f.typ == protowire.VarintType:
				rejected = int64(f.uint)
			case f.num == partialMessage && f.typ == protowire.BytesType:
				message = model.Text(string(f.bytes))
			}
			return nil
		})
	})
	if err != nil {
		return 0, "", err
	}
	return max(rejected, 0), message, nil
}

// partialJSON has the fields under both names that protobuf's JSON may have. A count is a number or text.
type partialJSON struct {
	RejectedSpans json.Number
	ErrorMessage  string
	OriginalCount json.Number `json:"rejected_spans"`
	OriginalText  string      `json:"error_message"`
}

func partialSuccessJSON(body []byte) (rejected int64, message string, err error) {
	var answer struct {
		PartialSuccess partialJSON
		Original       partialJSON `json:"partial_success"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, "", err
	}
	for _, p := range []partialJSON{answer.PartialSuccess, answer.Original} {
		for _, count := range []json.Number{p.RejectedSpans, p.OriginalCount} {
			n, _ := count.Int64()
			rejected = max(rejected, n)
		}
		message = cmp.Or(message, p.ErrorMessage, p.OriginalText)
	}
	return rejected, model.Text(message), nil
}

// StatusMessage reads the google.rpc.Status in protobuf that is the body of an answer other than 200, and returns its
// text, or "" if there is none.
func StatusMessage(body []byte) (message string) {
	err := eachField(body, func(f field) error {
		if f.num == rpcStatusMessage && f.typ == protowire.BytesType {
			message = model.Text(string(f.bytes))
		}
		return nil
	})
	if err != nil {
		return ""
	}
	return message
}

// AppendResponse appends the ExportTraceServiceResponse of a server that refused rejected spans for the reason
// message: nothing at all when everything was taken and there is nothing to say.
func AppendResponse(dst []byte, rejected int64, message string) []byte {
	if rejected == 0 && message == "" {
		return dst
	}
	dst, at := begin(dst, responsePartialSuccess)
	if rejected != 0 {
		dst = appendUint(dst, partialRejected, uint64(rejected))
	}
	if message != "" {
		dst = appendText(dst, partialMessage, message)
	}
	return end(dst, at)
}

// AppendResponseJSON is AppendResponse in JSON.
func AppendResponseJSON(dst []byte, rejected int64, message string) []byte {
	if rejected == 0 && message == "" {
		return append(dst, "{}"...)
	}
	dst = append(dst, `{"partialSuccess":{"rejectedSpans":"`...)
	dst = strconv.AppendInt(dst, rejected, 10)
	dst = append(dst, `","errorMessage":`...)
	return append(appendJSONString(dst, message), "}}"...)
}

// AppendStatus appends the google.rpc.Status that is the body of a server's answer other than 200; code is one of
// gRPC's, such as 3 for bytes that cannot be read.
func AppendStatus(dst []byte, code int32, message string) []byte {
	return appendText(appendUint(dst, rpcStatusCode, uint64(code)), rpcStatusMessage, message)
}

// AppendStatusJSON is AppendStatus in JSON.
func AppendStatusJSON(dst []byte, code int32, message string) []byte {
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, `,"message":`...)
	return append(appendJSONString(dst, message), '}')
}

func appendJSONString(dst []byte, s string) []byte {
	b, _ := json.Marshal(model.Text(s)) // a string cannot fail
	return append(dst, b...)
}
