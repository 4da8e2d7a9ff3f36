package export

import (
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/spanloom/spanloom/internal/model"
)

// TestASpanWhoseEncodingEndsItsGoroutineIsCounted has an exporter of a test's, which calls FailNow.
func TestASpanWhoseEncodingEndsItsGoroutineIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		b.encode = func(dst []byte, s *model.Span) []byte {
			if s.Name == "bad" {
				runtime.Goexit()
			}
			return append(dst, s.Name...)
		}
		p := start(t, b, Queue{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.Enqueue(&model.Span{Name: "bad"})
		}()
		<-ended
		p.Enqueue(&model.Span{Name: "good"})
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		s := p.Stats()
		sum(t, s)
		if s.Delivered != 1 || s.Dropped != (Drops{TooLarge: 1}) {
			t.Errorf("%+v", s)
		}
	})
}
