package model

import "fmt"

// TraceID is a 128-bit trace id; High is 0 for 64-bit ids.
type TraceID struct{ High, Low uint64 }

// Hex returns the id as the whole kit shows it, as 32 hex digits.
func (id TraceID) Hex() string { return fmt.Sprintf("%016x%016x", id.High, id.Low) }

// SpanHex returns the id of a span as the whole kit shows it, as 16 hex digits.
func SpanHex(id uint64) string { return fmt.Sprintf("%016x", id) }
