// Package export delivers finished spans: for each backend one [Pipeline], which is a bounded queue and one worker
// that batches, sends, retries and counts, so that a slow backend cannot starve another and every lost span is counted.
//
// A [Factory] is a backend as configured; [Start] opens its [Sender] and runs the Pipeline. [Pipeline.Enqueue] encodes
// a span with the Sender and queues the bytes. Nothing of the span itself is kept, so the memory of a queue is known
// exactly, and what the application does with its values later has no effect. It waits only if the policy is [Block].
//
// The worker sends a batch when enough spans wait, when the interval is over or when someone flushes. Each batch gets
// one verdict: delivered, tried again later, split because it is too large, or dropped for a reason that [Stats] has.
//
// Failures are logged at most once a minute for each pipeline.
package export
