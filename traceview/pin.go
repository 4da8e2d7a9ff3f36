package traceview

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spanloom/spanloom/internal/model"
)

// Pinned traces stay when others make room, and when all are cleared. So that new traces still find room, there are
// at most maxPins of them, and they may take a quarter of the memory and of the number of traces.
const maxPins = 100

var errNotHere = errors.New("the trace is not here")

// pin marks a trace as one that stays, or takes the mark off.
func (s *store) pin(id model.TraceID, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.traces[id]
	if t == nil {
		return errNotHere
	}
	if t.pinned == on {
		return nil
	}
	if on {
		pins, bytes := s.pinned()
		if limit := max(min(maxPins, s.maxTraces/4), 1); pins >= limit {
			return fmt.Errorf("%s pinned, which is the most", areTraces(pins))
		}
		if bytes+t.bytes+t.processBytes > s.maxBytes/4 {
			return fmt.Errorf("pinned traces may take %s, and this one needs %s beside %s of the others",
				showBytes(s.maxBytes/4), showBytes(t.bytes+t.processBytes), showBytes(bytes))
		}
	}
	t.pinned = on
	s.touch(t)
	s.relist(t)
	if !t.retained {
		s.regular.MoveToBack(t.element) // it just was of use
	}
	return nil
}

func areTraces(n int) string {
	if n == 1 {
		return "1 trace is"
	}
	return plural(n, "trace") + " are"
}

// pinned counts the pinned traces and their bytes. The lock is held.
func (s *store) pinned() (traces, bytes int) {
	for e := s.retained.Front(); e != nil; e = e.Next() {
		if t := e.Value.(*trace); t.pinned {
			traces++
			bytes += t.bytes + t.processBytes
		}
	}
	return traces, bytes
}

// victim returns the trace that goes first: never a pinned one, unless nothing else is left.
func (s *store) victim() *trace {
	t := s.oldestUnpinned()
	full := s.retainedBytes > s.maxBytes/2 || s.retained.Len() > max(s.maxTraces/2, 1)
	if s.regular.Len() > 0 && (t == nil || !full) {
		return s.regular.Front().Value.(*trace)
	}
	if t == nil {
		return s.retained.Front().Value.(*trace)
	}
	return t
}

// oldestUnpinned returns the first of the retained traces that is not pinned. It moves those before it to the back.
func (s *store) oldestUnpinned() *trace {
	for range s.retained.Len() {
		e := s.retained.Front()
		if t := e.Value.(*trace); !t.pinned {
			return t
		}
		s.retained.MoveToBack(e)
	}
	return nil
}

// pinTrace answers the button of a trace's page. A script that accepts JSON gets no page.
func (v *View) pinTrace(w http.ResponseWriter, r *http.Request) {
	snap, ok := v.lookUp(w, r)
	if !ok {
		return
	}
	script := strings.Contains(r.Header.Get("Accept"), "application/json")
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	if err := v.store.pin(snap.id, r.PostFormValue("pinned") != ""); err != nil {
		text := "The trace cannot be pinned: " + err.Error() + "."
		if script {
			http.Error(w, text, http.StatusConflict)
			return
		}
		v.problem(w, r, http.StatusConflict, "Not pinned", text)
		return
	}
	if script {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	seeOther(w, base(r)+"trace/"+traceHex(snap.id))
}
