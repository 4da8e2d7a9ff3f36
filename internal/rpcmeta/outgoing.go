// Package rpcmeta has the metadata of an RPC that is about to be made, as a carrier. It stands between package carrier,
// which writes into it without depending on gRPC, and package grpcmw, which sends it.
package rpcmeta

import "strings"

// Outgoing is a carrier for opentracing.HTTPHeaders with the outgoing metadata of one RPC. Writing the keys of two
// formats into it costs no allocation.
type Outgoing struct {
	// Own is the caller's metadata, a copy that is written to. It is nil if the caller has none.
	Own map[string][]string

	list  []string // what was added, if Own is nil, else room for values in Own
	buf   [4]string
	taken bool  // buf is in use
	bytes int32 // of the keys and values that were written
}

// Written returns how many bytes of keys and values were written.
func (o *Outgoing) Written() int { return int(o.bytes) }

// Added returns what was written if Own is nil, as key, value, key, value, each key once. The result may be changed,
// and is then what [Outgoing.SetAdded] takes.
func (o *Outgoing) Added() []string {
	if o.Own != nil {
		return nil
	}
	return o.list
}

// SetAdded replaces what was written if Own is nil.
func (o *Outgoing) SetAdded(pairs []string) { o.list = pairs }

// Reserve makes room for n keys, in at most one allocation.
func (o *Outgoing) Reserve(n int) {
	switch {
	case o.Own != nil:
		o.list = o.room(n)
	case o.list == nil:
		o.list = o.room(2 * n)[:0]
	}
}

func (o *Outgoing) room(n int) []string {
	if o.taken || n > len(o.buf) {
		return make([]string, n)
	}
	o.taken = true
	return o.buf[:]
}

// Put replaces the values of key, which is in lower case.
func (o *Outgoing) Put(key, value string) {
	o.bytes += int32(len(key) + len(value))
	if o.Own == nil {
		o.add(key, value)
		return
	}
	if len(o.list) == 0 {
		o.list = make([]string, 1)
	}
	o.list[0] = value
	o.Own[key] = o.list[:1:1]
	o.list = o.list[1:]
}

// PutLines replaces the values of key, which is in Own, by several.
func (o *Outgoing) PutLines(key string, values []string) {
	for _, value := range values {
		o.bytes += int32(len(key) + len(value))
	}
	o.Own[key] = values
}

func (o *Outgoing) add(key, value string) {
	for i := 0; i < len(o.list); i += 2 {
		if o.list[i] == key {
			o.list[i+1] = value
			return
		}
	}
	o.list = append(o.list, key, value)
}

// Set implements opentracing.TextMapWriter, for tracers of other kinds.
func (o *Outgoing) Set(key, value string) { o.Put(strings.ToLower(key), value) }

// ForeachKey implements opentracing.TextMapReader. It calls handler for the caller's metadata and stops at the first
// error.
func (o *Outgoing) ForeachKey(handler func(key, value string) error) error {
	for key, values := range o.Own {
		for _, value := range values {
			if err := handler(key, value); err != nil {
				return err
			}
		}
	}
	return nil
}
