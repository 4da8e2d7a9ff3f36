package traceview

import (
	"net/http"
	"time"

	"github.com/spanloom/spanloom/internal/otlp"
)

// apiTransform answers OTLP JSON as the JSON of Jaeger's UI, which sends it the files of OTLP that one opens there. It
// keeps nothing.
func (v *View) apiTransform(w http.ResponseWriter, r *http.Request) {
	err := v.withBody(w, r, func(body []byte) error {
		batches, err := otlp.DecodeRequestJSON(body, decodeLimits)
		if err != nil {
			return err
		}
		s := newStore(int(decodeLimits.Memory), decodeLimits.Spans, time.Now)
		s.addBatches(batches)
		data := []jaegerTrace{}
		for _, snap := range s.all() {
			data = append(data, snap.jaeger())
		}
		answer(w, r, http.StatusOK, envelope{Data: data})
		return nil
	})
	if err != nil {
		status, message := refusalOf(err)
		answer(w, r, status, envelope{Errors: []apiError{{Code: status, Msg: message}}})
	}
}
