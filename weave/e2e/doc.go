// Package e2e builds the programs in its subdirectories by a weaver, which adds the kit to them, and by hand, with the
// lines that their users would write, and compares the traces that they send.
package e2e
