// Package cases has tests that are built woven, by TestWovenCases of the package above.
package cases
