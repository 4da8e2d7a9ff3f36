package httpmw

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The outcome of a round trip is decided by values alone.
func TestTheEndOfARoundTripIsDecidedByValues(t *testing.T) {
	boom := errors.New("boom")
	gone, late := context.Canceled, context.DeadlineExceeded
	for name, tt := range map[string]struct {
		end        clientEnd
		want       Outcome
		incomplete bool
	}{
		"no response": {end: clientEnd{err: boom}, want: Outcome{Err: boom, ErrorType: "*errors.errorString", IsError: true}},
		"nothing":     {},
		"200": {
			end:  clientEnd{status: 200, hasBody: true, declared: 5, read: 5, sent: 3, firstByte: 7},
			want: Outcome{Status: 200, BytesIn: 5, BytesOut: 3, FirstByte: 7},
		},
		"200, length of the request unknown": {end: clientEnd{status: 200, sent: -1}, want: Outcome{Status: 200}},
		"399":                                {end: clientEnd{status: 399}, want: Outcome{Status: 399}},
		"400":                                {end: clientEnd{status: 400}, want: Outcome{Status: 400, IsError: true}},
		"200, closed early":                  {end: clientEnd{status: 200, hasBody: true, declared: 5, read: 2}, want: Outcome{Status: 200, BytesIn: 2}},
		"200, cut off": {
			end:        clientEnd{status: 200, hasBody: true, declared: 5, read: 2, err: io.ErrUnexpectedEOF},
			want:       Outcome{Status: 200, BytesIn: 2, Err: io.ErrUnexpectedEOF, ErrorType: "*errors.errorString", IsError: true},
			incomplete: true,
		},
		"caller gives up": {
			end:  clientEnd{err: boom, ctxErr: gone},
			want: Outcome{Err: boom, ErrorType: canceled},
		},
		"caller gives up on the body": {
			end:        clientEnd{status: 200, hasBody: true, declared: -1, read: 2, err: boom, ctxErr: gone},
			want:       Outcome{Status: 200, BytesIn: 2, Err: boom, ErrorType: canceled},
			incomplete: true,
		},
		"another context was canceled": {end: clientEnd{err: gone}, want: Outcome{Err: gone, ErrorType: canceled}},
		"by the Cancel channel":        {end: clientEnd{err: boom, canceled: true}, want: Outcome{Err: boom, ErrorType: canceled}},
		"deadline": {
			end:  clientEnd{err: boom, ctxErr: late},
			want: Outcome{Err: boom, ErrorType: timeout, IsError: true},
		},
		"timeout of http.Client": {
			end:  clientEnd{err: boom, overdue: true, canceled: true},
			want: Outcome{Err: boom, ErrorType: timeout, IsError: true},
		},
		"canceled after all was well": {end: clientEnd{status: 200, ctxErr: gone, overdue: true}, want: Outcome{Status: 200}},
		"context ends before the body": {
			end:        clientEnd{status: 200, hasBody: true, dropped: true, declared: -1, read: 2, lastRead: 9, ctxErr: gone},
			want:       Outcome{Status: 200, BytesIn: 2, Err: gone, ErrorType: canceled, Duration: 9},
			incomplete: true,
		},
		"deadline before the body's end": {
			end:        clientEnd{status: 200, hasBody: true, dropped: true, declared: 5, read: 2, lastRead: 9, ctxErr: late},
			want:       Outcome{Status: 200, BytesIn: 2, Err: late, ErrorType: timeout, IsError: true, Duration: 9},
			incomplete: true,
		},
		"context ends when all was read": {
			end:  clientEnd{status: 500, hasBody: true, dropped: true, declared: 5, read: 5, lastRead: 9, ctxErr: gone},
			want: Outcome{Status: 500, BytesIn: 5, IsError: true, Duration: 9},
		},
		"leaked": {
			end:        clientEnd{status: 200, hasBody: true, dropped: true, declared: 5, lastRead: 9},
			want:       Outcome{Status: 200, Duration: 9},
			incomplete: true,
		},
		"panic":  {end: clientEnd{panicked: boom, err: boom}, want: Outcome{Panic: boom, Err: boom, IsError: true}},
		"goexit": {end: clientEnd{goexit: true}, want: Outcome{ErrorType: "goexit", IsError: true}},
		"panic of the body": {
			end:        clientEnd{status: 200, hasBody: true, declared: -1, panicked: 1},
			want:       Outcome{Status: 200, Panic: 1, IsError: true},
			incomplete: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := tt.end.result()
			equal := cmp.Comparer(func(a, b error) bool { return a == b })
			if d := cmp.Diff(tt.want, v.Outcome, equal, cmp.Comparer(func(a, b time.Duration) bool { return a == b })); d != "" {
				t.Error(d)
			}
			if v.looksFailed != (tt.end.status >= 400) || v.byStatus != (v.Status > 0 && v.Err == nil && v.Panic == nil && v.ErrorType == "") {
				t.Errorf("looksFailed %v, by status %v", v.looksFailed, v.byStatus)
			}
			if got := tt.end.incomplete(); got != tt.incomplete {
				t.Errorf("incomplete %v", got)
			}
		})
	}
}
