package traceview

import (
	"slices"
	"strings"

	"github.com/spanloom/spanloom/internal/model"
)

// process is what a program says of itself. The traces of its spans share one copy.
type process struct {
	model.Process
	key    string
	color  int // of the service
	bytes  int
	traces int // that hold it; the store's lock guards it
}

// unknownService is the name that OTLP gives to a service without one.
const unknownService = "unknown_service"

// process returns the one copy of a process that is kept.
func (s *store) process(mp model.Process) *process {
	if mp.Service = name(mp.Service); mp.Service == "" {
		mp.Service = unknownService
	}
	slices.SortStableFunc(mp.Tags, func(a, b model.Tag) int { return strings.Compare(a.Key, b.Key) })
	var key strings.Builder
	key.WriteString(mp.Service)
	for _, t := range mp.Tags {
		key.WriteByte(0)
		key.WriteString(t.Key)
		key.WriteByte(byte('0' + t.Value.Kind()))
		key.WriteString(text(t.Value))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.processes[key.String()]; p != nil {
		return p
	}
	p := &process{Process: mp, key: key.String(), color: s.service(mp.Service).color}
	p.bytes = processCost + len(mp.Service) + tagsCost(mp.Tags) + key.Cap()
	return p
}

// retain counts the process among those of the trace. Its memory counts once, however many traces hold it.
func (s *store) retain(t *trace, p *process) {
	if slices.Contains(t.processes, p) {
		return
	}
	t.processes = append(t.processes, p)
	t.processBytes += p.bytes
	if p.traces++; p.traces == 1 {
		s.bytes += p.bytes
		if s.processes[p.key] == nil {
			s.processes[p.key] = p
		}
	}
}

// releaseProcesses takes a trace that goes off its processes, and forgets those that no other trace holds.
func (s *store) releaseProcesses(t *trace) {
	for _, p := range t.processes {
		if p.traces--; p.traces == 0 {
			s.bytes -= p.bytes
			if s.processes[p.key] == p {
				delete(s.processes, p.key)
			}
		}
	}
}

// weight is what the trace would hold alone if it had a span of p.
func (t *trace) weight(p *process) int {
	if slices.Contains(t.processes, p) {
		return t.bytes + t.processBytes
	}
	return t.bytes + t.processBytes + p.bytes
}
