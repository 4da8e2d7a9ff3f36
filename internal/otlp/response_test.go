package otlp

import (
	"encoding/json"
	"fmt"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
)

func TestPartialSuccessIsReadAndWritten(t *testing.T) {
	for _, tt := range []struct {
		rejected int64
		message  string
	}{{0, ""}, {3, ""}, {0, "deprecated"}, {1 << 40, "too many ünïcode"}} {
		t.Run(fmt.Sprint(tt.rejected), func(t *testing.T) {
			body := AppendResponse(nil, tt.rejected, tt.message)
			rejected, message, err := PartialSuccess(body)
			if rejected != tt.rejected || message != tt.message || err != nil {
				t.Errorf("%v came back as %d %q %v", tt, rejected, message, err)
			}
		})
	}
	for body, want := range map[string]int64{
		string(AppendResponseJSON(nil, 3, "full")):                             3,
		" \n" + `{"partialSuccess":{"rejectedSpans":3,"errorMessage":"full"}}`: 3,
		`{"partialSuccess":{"rejectedSpans":"-3","errorMessage":"full"}}`:      0,
		`{"partial_success":{"rejected_spans":"3","error_message":"full"}}`:    3,
	} {
		t.Run("body "+body, func(t *testing.T) {
			if rejected, message, err := PartialSuccess([]byte(body)); rejected != want || message != "full" || err != nil {
				t.Errorf("%s: %d %q %v", body, rejected, message, err)
			}
		})
	}
	if rejected, message, err := PartialSuccess([]byte("{}")); rejected != 0 || message != "" || err != nil {
		t.Errorf("{}: %d %q %v", rejected, message, err)
	}
	// field 1 { field 1: 5, field 2: "no", field 9: group }
	known := []byte("\x0a\x08\x08\x05\x12\x02no\x4b\x4c")
	if rejected, message, err := PartialSuccess(known); rejected != 5 || message != "no" || err != nil {
		t.Errorf("got %d %q %v", rejected, message, err)
	}
}

func TestResponsesOfBadBackends(t *testing.T) {
	for _, body := range []string{"\x0a", "\x0a\xff\xff\xff\xff\x0f", "\x0a\x02\x08", "<html>bad gateway</html>", "{", `{"partialSuccess":{"rejectedSpans":"x"}}`, "\x00\x00"} {
		t.Run(body, func(t *testing.T) {
			if rejected, message, err := PartialSuccess([]byte(body)); err == nil {
				t.Errorf("%q: %d %q and no error", body, rejected, message)
			}
			if got := StatusMessage([]byte(body)); got != "" {
				t.Errorf("%q: status %q", body, got)
			}
		})
	}
	negative := AppendResponse(nil, -4, "")
	if rejected, _, err := PartialSuccess(negative); rejected != 0 || err != nil {
		t.Errorf("negative count: %d %v", rejected, err)
	}
	wrongType := []byte("\x08\x05")
	if rejected, _, err := PartialSuccess(wrongType); rejected != 0 || err != nil {
		t.Errorf("wrong type: %d %v", rejected, err)
	}
}

func TestStatusAnswersAreReadInBothEncodings(t *testing.T) {
	body := AppendStatus(nil, 3, "bad \xff bytes")
	var got status.Status
	if err := proto.Unmarshal(body, &got); err != nil || got.Code != 3 || got.Message != "bad \uFFFD bytes" {
		t.Errorf("%v %v", &got, err)
	}
	if message := StatusMessage(body); message != "bad \uFFFD bytes" {
		t.Errorf("StatusMessage: %q", message)
	}
}

func TestJSONAnswers(t *testing.T) {
	for got, want := range map[string]string{
		string(AppendResponseJSON(nil, 0, "")):       `{}`,
		string(AppendResponseJSON(nil, 5, `a"<b`)):   `{"partialSuccess":{"rejectedSpans":"5","errorMessage":"a\"\u003cb"}}`,
		string(AppendStatusJSON(nil, 3, "bad\xffx")): `{"code":3,"message":"bad` + "\uFFFD" + `x"}`,
	} {
		t.Run(got, func(t *testing.T) {
			if got != want || !json.Valid([]byte(got)) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
