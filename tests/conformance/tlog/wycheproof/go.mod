module fairlead/tests/conformance/tlog/wycheproof

go 1.25.0

require github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
