package httpmw

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// TestEveryEndOfARequestHasItsResult is the table of how a request on a server can end.
func TestEveryEndOfARequestHasItsResult(t *testing.T) {
	write := func(err error) error { return &net.OpError{Op: "write", Err: os.NewSyscallError("write", err)} }
	copied := func(err error) error { return &net.OpError{Op: "readfrom", Err: err} }
	broken, reset := write(syscall.EPIPE), write(syscall.ECONNRESET)
	upstream := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	shutdown := errors.New("shutdown")
	boom := errors.New("boom")
	type want struct {
		Status           int
		Type             string
		Aborted, IsError bool
		Err              error
	}
	returned := serverEnd{returned: true, declared: -1}
	hungUp := serverEnd{returned: true, declared: -1, ctxErr: context.Canceled, ctxCause: context.Canceled}
	for name, tt := range map[string]struct {
		from serverEnd
		set  func(e *serverEnd)
		want want
	}{
		"nothing written":    {returned, nil, want{Status: 200}},
		"200":                {returned, func(e *serverEnd) { e.status = 200 }, want{Status: 200}},
		"404":                {returned, func(e *serverEnd) { e.status = 404 }, want{Status: 404}},
		"500":                {returned, func(e *serverEnd) { e.status = 500 }, want{Status: 500, Type: "500", IsError: true}},
		"hijacked":           {returned, func(e *serverEnd) { e.hijacked = true }, want{}},
		"upgraded":           {returned, func(e *serverEnd) { e.hijacked, e.upgrade = true, true }, want{Status: 101}},
		"hijacked, gone":     {hungUp, func(e *serverEnd) { e.hijacked, e.upgrade, e.writeErr = true, true, broken }, want{Status: 101, Type: "*net.OpError", Err: broken}},
		"panic":              {returned, func(e *serverEnd) { e.returned, e.panicked = false, boom }, want{Type: "panic", IsError: true}},
		"panic after 200":    {returned, func(e *serverEnd) { e.returned, e.panicked, e.status = false, 1, 200 }, want{Status: 200, Type: "panic", IsError: true}},
		"panic, client gone": {hungUp, func(e *serverEnd) { e.returned, e.panicked = false, boom }, want{Type: "panic", IsError: true, Err: context.Canceled}},
		"abort":              {returned, func(e *serverEnd) { e.returned, e.panicked = false, http.ErrAbortHandler }, want{Type: "aborted", Aborted: true}},
		"Goexit":             {returned, func(e *serverEnd) { e.returned = false }, want{Type: "goexit", IsError: true}},

		"hang-up, nothing written": {hungUp, nil, want{Type: canceled, Aborted: true, Err: context.Canceled}},
		"hang-up, 200":             {hungUp, func(e *serverEnd) { e.status = 200 }, want{200, canceled, true, false, context.Canceled}},
		"hang-up, 204":             {hungUp, func(e *serverEnd) { e.status = 204 }, want{204, canceled, true, false, context.Canceled}},
		"hang-up, 404":             {hungUp, func(e *serverEnd) { e.status = 404 }, want{404, canceled, true, false, context.Canceled}},
		"hang-up, 500":             {hungUp, func(e *serverEnd) { e.status = 500 }, want{500, canceled, true, false, context.Canceled}},
		"hang-up, write failed":    {hungUp, func(e *serverEnd) { e.status, e.writeErr = 200, reset }, want{200, "*net.OpError", true, false, reset}},
		"all sent, then closed":    {hungUp, func(e *serverEnd) { e.status, e.declared, e.written = 200, 1<<20, 1<<20 }, want{Status: 200}},
		"part sent, then closed":   {hungUp, func(e *serverEnd) { e.status, e.declared, e.written = 200, 1<<20, 1<<19 }, want{200, canceled, true, false, context.Canceled}},
		"closed before the header": {hungUp, func(e *serverEnd) { e.status, e.declared, e.written, e.goneAtHeader = 200, 1<<20, 1<<20, true },
			want{200, canceled, true, false, context.Canceled}},
		"buffered, then closed":   {hungUp, func(e *serverEnd) { e.status, e.declared, e.written = 200, 5, 5 }, want{200, canceled, true, false, context.Canceled}},
		"peer gone, no context":   {returned, func(e *serverEnd) { e.status, e.writeErr = 200, broken }, want{200, "*net.OpError", true, false, broken}},
		"ReadFrom, peer gone":     {returned, func(e *serverEnd) { e.status, e.copyErr = 200, copied(broken) }, want{200, "*net.OpError", true, false, copied(broken)}},
		"ReadFrom, upstream gone": {returned, func(e *serverEnd) { e.status, e.copyErr = 200, copied(upstream) }, want{Status: 200}},
		"ReadFrom, source failed": {returned, func(e *serverEnd) { e.status, e.copyErr = 200, boom }, want{Status: 200}},
		"HTTP/2, peer gone": {returned, func(e *serverEnd) { e.status, e.writeErr = 200, errors.New("client disconnected") },
			want{200, "*errors.errorString", true, false, errors.New("client disconnected")}},
		"too long for its length": {returned, func(e *serverEnd) { e.status, e.writeErr = 500, http.ErrContentLength },
			want{500, "*errors.errorString", false, true, http.ErrContentLength}},

		"other cause, nothing written": {hungUp, func(e *serverEnd) { e.ctxCause = shutdown }, want{Status: 200}},
		"other cause, 500":             {hungUp, func(e *serverEnd) { e.ctxCause, e.status = shutdown, 500 }, want{500, "500", false, true, nil}},
		"other cause, peer gone":       {hungUp, func(e *serverEnd) { e.ctxCause, e.status, e.writeErr = shutdown, 500, broken }, want{500, "*net.OpError", true, false, broken}},
		"deadline, nothing written":    {returned, func(e *serverEnd) { e.ctxErr = context.DeadlineExceeded }, want{0, timeout, false, true, context.DeadlineExceeded}},
		"deadline, 504":                {returned, func(e *serverEnd) { e.ctxErr, e.status = context.DeadlineExceeded, 504 }, want{504, "504", false, true, nil}},
		"answered further out": {returned, func(e *serverEnd) { e.status, e.writeErr = 200, http.ErrHandlerTimeout },
			want{0, timeout, false, true, http.ErrHandlerTimeout}},
	} {
		t.Run(name, func(t *testing.T) {
			e := tt.from
			if tt.set != nil {
				tt.set(&e)
			}
			v := e.result()
			tagWriter{config: &config{}, span: new(rpcspan.Span)}.complete(&v, nil, false)
			got := want{v.Status, v.ErrorType, v.Aborted, v.IsError, v.Err}
			if d := cmp.Diff(fmt.Sprint(tt.want), fmt.Sprint(got)); d != "" {
				t.Error(d)
			}
			if v.looksFailed != (v.Status >= 500) || v.Hijacked != e.hijacked || v.byStatus && (v.Aborted || v.Panic != nil) {
				t.Errorf("%+v", v)
			}
		})
	}
}

// TestSizesOfVerdicts: a HEAD has no body, and what a TimeoutHandler further out has dropped was never sent.
func TestSizesOfVerdicts(t *testing.T) {
	e := serverEnd{returned: true, status: 200, written: 5, received: -1, declared: -1, firstByte: time.Second}
	if v := e.result(); v.BytesOut != 5 || v.BytesIn != 0 || v.FirstByte != time.Second {
		t.Errorf("%+v", v.Outcome)
	}
	e.head, e.received = true, 7
	if v := e.result(); v.BytesOut != 0 || v.BytesIn != 7 {
		t.Errorf("HEAD: %+v", v.Outcome)
	}
	e.head, e.writeErr = false, http.ErrHandlerTimeout
	if v := e.result(); v.BytesOut != 0 || v.FirstByte != 0 {
		t.Errorf("timeout: %+v", v.Outcome)
	}
}
