package otlp

import (
	"cmp"
	"math"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// Kinds and status codes of OTLP, in the order of their numbers; the names are Jaeger's.
var (
	kindNames   = [...]string{"", "internal", "server", "client", "producer", "consumer"}
	statusNames = [...]string{"", "OK", "ERROR"}
)

const (
	kindInternal = 1
	statusError  = 2
)

// otlpFields is what the tags of a span say that OTLP has fields for.
type otlpFields struct {
	kind        int
	status      int
	description string // of the status

	scopeName, scopeVersion string
}

// fieldsOf reads the tags of s, of which a later one wins over an earlier one of the same key.
func fieldsOf(s *model.Span) otlpFields {
	f := otlpFields{kind: kindInternal}
	failed := false
	for i := range s.Tags {
		t := &s.Tags[i]
		if t.Value.IsLiteral() {
			continue // an attribute that is called like one of these
		}
		switch t.Key {
		case tagKind:
			f.kind = max(number(kindNames[:], &t.Value), kindInternal)
		case tagError:
			failed = t.Value == model.Bool(true) || strings.EqualFold(text(t.Value), "true")
		case tagStatusCode:
			f.status = number(statusNames[:], &t.Value)
		case tagStatusDescription:
			f.description = text(t.Value)
		case tagScopeName:
			f.scopeName = text(t.Value)
		case tagScopeVersion:
			f.scopeVersion = text(t.Value)
		}
	}
	if f.scopeName == scopeOfKit { // the batch has that scope, and who has set the tags reads them back
		f.scopeName, f.scopeVersion = "", ""
	}
	if failed {
		f.status = statusError
	}
	switch f.status {
	case 0:
		f.description = ""
	case statusError:
		f.description = cmp.Or(f.description, loggedError(s.Logs))
	}
	return f
}

// isRedundant reports whether the fields of OTLP bring t back, so that it need not be an attribute.
func (f *otlpFields) isRedundant(t *model.Tag) bool {
	switch t.Key {
	case tagKind:
		return t.Value == model.String(kindNames[f.kind])
	case tagError:
		return f.status == statusError && t.Value == model.Bool(true)
	case tagStatusCode:
		return f.status != 0 && t.Value == model.String(statusNames[f.status])
	case tagStatusDescription:
		return f.description != "" && text(t.Value) == f.description
	case tagScopeName:
		return f.scopeName != "" && t.Value == model.String(f.scopeName)
	case tagScopeVersion:
		return f.scopeVersion != "" && t.Value == model.String(f.scopeVersion)
	}
	return false
}

// loggedError returns the message of the last log with an error.
func loggedError(logs []model.Log) (message string) {
	for i := range logs {
		if name, _ := eventName(&logs[i]); name != errorEvent {
			continue
		}
		for j := range logs[i].Fields {
			if f := &logs[i].Fields[j]; f.Key == fieldMessage {
				message = text(f.Value)
			}
		}
	}
	return message
}

// number returns the index of the name that v is, in any case, or 0.
func number(names []string, v *model.Value) int {
	s := text(*v)
	for i, name := range names {
		if name != "" && strings.EqualFold(s, name) {
			return i
		}
	}
	return 0
}

func text(v model.Value) string {
	if v.Kind() != model.KindString || v.IsLiteral() {
		return ""
	}
	return v.Str()
}

// nanos returns t as OTLP counts it; times outside its range (1970 to 2262, so that readers in int64 agree) are cut.
func nanos(t time.Time) uint64 {
	switch sec := t.Unix(); {
	case sec < 0:
		return 0
	case sec >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	}
	return uint64(t.UnixNano())
}

func endNanos(s *model.Span) uint64 {
	return min(nanos(s.Start)+uint64(max(s.Duration, 0)), math.MaxInt64)
}

func timeOf(ns uint64) time.Time {
	return time.Unix(0, int64(min(ns, math.MaxInt64))).UTC()
}

func refTypeName(t model.RefType) string {
	if t == model.ChildOf {
		return refChildOf
	}
	return refFollowsFrom
}

const (
	flagRandom      = 0x2
	flagHasIsRemote = 0x100
	flagIsRemote    = 0x200
)

// spanFlagsOf returns the flags of s: those of W3C, and whether the parent is remote, as far as that is known.
func spanFlagsOf(s *model.Span) uint32 {
	switch s.Parent {
	case model.Local:
		return traceFlags(s) | flagHasIsRemote
	case model.Remote:
		return traceFlags(s) | flagHasIsRemote | flagIsRemote
	}
	return traceFlags(s)
}

// traceFlags are the flags of W3C that OTLP carries; Jaeger's debug bit means something else there.
func traceFlags(s *model.Span) uint32 {
	flags := uint32(s.Flags & 1)
	if s.Random {
		flags |= flagRandom
	}
	return flags
}

// eventName returns the name of l's event and the index of the field that it replaces, or -1.
func eventName(l *model.Log) (string, int) {
	for i := range l.Fields {
		if f := &l.Fields[i]; i == 0 && f.Key == fieldEvent && f.Value.IsLiteral() {
			return f.Value.Str(), i
		}
		if f := &l.Fields[i]; f.Key == fieldEvent && text(f.Value) != "" {
			if f.Value.Str() == unnamedEvent {
				break
			}
			return f.Value.Str(), i
		}
	}
	return unnamedEvent, -1
}
