// The last version with CVE-2026-56865: shows that the case is the one that the fix is for. Nothing else is built with it.
module fairlead/tests/conformance/tlog

go 1.25.0

require golang.org/x/mod v0.39.0
