// Package model holds a finished span as plain data: what exporters write, what the trace view keeps, and what
// the decoders of OTLP and Jaeger thrift return. Its shape is Jaeger's: kind, status and scope of OTLP become tags.
package model
