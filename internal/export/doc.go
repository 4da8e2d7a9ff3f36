// Package export delivers finished spans: for each backend one Pipeline, which is a bounded queue and one worker
// that batches, sends, retries and counts, so that a slow backend cannot starve another and no span is lost in
// silence.
//
// A Factory is a backend as configured; Start opens its Sender and runs the Pipeline. Offer queues a span and
// never waits, unless the policy is Block. The worker turns spans into bytes with the Sender, sends a batch when
// enough spans wait, when the interval is over or when someone flushes, tries again what may pass, and gives every
// span exactly one fate, which Stats counts.
//
// What goes wrong is logged at most once a minute for each pipeline.
package export
