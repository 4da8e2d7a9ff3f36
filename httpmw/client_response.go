package httpmw

import (
	"net/http"
	"time"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// restoreRequest makes the caller find its own request in the response.
func (s *clientState) restoreRequest(resp *http.Response) {
	if resp != nil && resp.Request == &s.copy {
		resp.Request = s.original
	}
}

// receive records the response's header, and returns the response with a body that is watched if there is one.
func (s *clientState) receive(resp *http.Response) *http.Response {
	s.firstByte = time.Since(s.span.StartTime())
	s.status = int32(resp.StatusCode)
	s.tagHeader(resp)
	if headerOnly(s.copy.Method, resp) {
		s.end(&clientEnd{})
		return resp
	}
	return s.watch(resp)
}

func (s *clientState) tagHeader(resp *http.Response) {
	defer s.span.RecoverHook()
	recording := s.span.Recording()
	if !recording && !s.span.Observed() {
		return
	}
	l := rpcspan.Tags{Span: &s.span, Vocabulary: s.semconv, UserKeys: s.userKeys}
	t := tagWriter{s.config, &s.span, &l}
	s.tagStatus(t)
	if recording {
		t.protocol(resp.ProtoMajor, resp.ProtoMinor)
		t.headers(t.respTags, resp.Header, "")
	}
	l.Flush()
}

// headerOnly reports whether there is no body to wait for. After 101 the body is the connection, which is the caller's.
func headerOnly(method string, resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusNoContent, http.StatusNotModified, http.StatusSwitchingProtocols:
		return true
	}
	return method == http.MethodHead || resp.Body == nil || resp.Body == http.NoBody
}
