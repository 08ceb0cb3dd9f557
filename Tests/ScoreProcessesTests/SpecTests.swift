import ScoreProcesses
import Testing

/// Specs as text: what is read, and the one sentence for what cannot be.
@Suite struct SpecTests {
  enum Method: String, CaseIterable { case euler, heun }

  @Test func readsNamesArgumentsAndParameters() throws {
    let bare = try Spec("ve", kind: "SDE")
    #expect(bare.name == "ve" && bare.remainder == nil && bare.parameters.isEmpty)
    let argument = try Spec("digits:test", kind: "data set")
    #expect(argument.argument == "test" && argument.parameters.isEmpty)
    let full = try Spec("ode:fast,method=heun,rtol=1e-5,steps=12,trace=true", kind: "solver")
    try full.expect(keys: ["method", "rtol", "steps", "trace"], argument: true)
    #expect(full.argument == "fast")
    #expect(try full.choice("method", default: Method.euler) == .heun)
    #expect(try full.number("rtol", default: 1, in: .positive) == 1e-5)
    #expect(try full.integer("steps", default: 3, in: .atLeast(1)) == 12)
    #expect(try full.flag("trace"))
    #expect(try full.number("atol", default: 7) == 7)
    #expect(try full.integer("count") == nil)
    #expect(full.description == "ode:fast,method=heun,rtol=1e-5,steps=12,trace=true")
  }

  /// What stands in quotes is one argument or value, and is written so where it must be.
  @Test func quotesHoldCommasAndEqualSigns() throws {
    let spec = try Spec("matrix:\"A, b=1.npy\",name=\"x,\"\"y\"\"=z\",steps=2", kind: "observation")
    #expect(spec.argument == "A, b=1.npy" && spec.string("name") == "x,\"y\"=z")
    #expect(try spec.integer("steps") == 2)
    let written = Spec(
      kind: spec.kind, name: spec.name, argument: spec.argument, parameters: spec.parameters)
    #expect(written.description == spec.description && written == spec)
    #expect(try Spec("a:\"b\"", kind: "x").argument == "b")
    #expect(
      throws: SpecError("the x \"a:\"b\" has a quote that is not closed; expected another after it")
    ) {
      try Spec("a:\"b", kind: "x")
    }
  }

  @Test func pathsAreTakenAsWritten() throws {
    let spec = try Spec(path: "mixture:/a,b=c/d:e.json", kind: "model")
    #expect(spec.name == "mixture" && spec.argument == "/a,b=c/d:e.json")
    #expect(spec.description == "mixture:/a,b=c/d:e.json")
  }

  @Test func writesWhatItReads() throws {
    let spec = Spec(
      kind: "SDE", name: "vp",
      parameters: ["beta-min": Spec.text(0.1), "beta-max": Spec.text(20)])
    #expect(spec.description == "vp:beta-min=0.1,beta-max=20")
    #expect(try Spec(spec.description, kind: "SDE") == spec)
    #expect(Spec.text(1e-5) == "1e-05" && Double(Spec.text(0.1 + 0.2)) == 0.1 + 0.2)
  }

  @Test(arguments: [
    ("", "the SDE \"\" has no name; expected name:key=value,key=value"),
    (":a=1", "the SDE \":a=1\" has no name; expected name:key=value,key=value"),
    ("vp:a=1,a=2", "the SDE \"vp:a=1,a=2\" gives a twice; expected it once"),
    ("vp:a=1,b", "the SDE \"vp:a=1,b\" has the part \"b\"; expected key=value"),
    ("vp:", "the SDE \"vp:\" has the part \"\"; expected key=value"),
    ("vp:=1", "the SDE \"vp:=1\" has the part \"=1\"; expected key=value"),
    ("vp:a=", "the SDE \"vp:a=\" has the part \"a=\"; expected key=value"),
  ])
  func saysWhatCannotBeSplit(_ text: String, _ sentence: String) {
    #expect(throws: SpecError(sentence)) { try Spec(text, kind: "SDE") }
  }

  @Test func saysWhatCannotBeRead() throws {
    let spec = try Spec(
      "ode:method=rk9,rtol=fast,atol=-1,steps=2.5,trace=yes,x=nan", kind: "solver")
    func sentence(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      sentence { try spec.expect(keys: ["method", "rtol"]) }
        == "the solver ode has no parameter \"atol\" (did you mean rtol?); known are method, rtol")
    #expect(
      sentence { try Spec("ve:big", kind: "SDE").expect(keys: []) }
        == "the SDE ve does not take \"big\"; ve takes no parameters")
    #expect(
      sentence { _ = try spec.choice("method", default: Method.euler) }
        == "the solver ode has method=rk9; expected one of euler, heun")
    #expect(
      sentence { _ = try spec.number("rtol") }
        == "the solver ode has rtol=fast; expected a number that is finite")
    #expect(
      sentence { _ = try spec.number("atol", in: .positive) }
        == "the solver ode has atol=-1; expected a number above 0")
    #expect(
      sentence { _ = try spec.integer("steps", in: .atLeast(1)) }
        == "the solver ode has steps=2.5; expected a whole number of at least 1")
    #expect(
      sentence { _ = try spec.flag("trace") }
        == "the solver ode has trace=yes; expected true or false")
    #expect(
      sentence { _ = try spec.number("x", in: .between(0, 1)) }
        == "the solver ode has x=nan; expected a number from 0 to 1")
    #expect(
      spec.unknownName(known: ["euler", "pc"]).description
        == "there is no solver \"ode\"; known are euler, pc")
    #expect(
      spec.unknownName(known: ["euler", "node", "pc"]).description
        == "there is no solver \"ode\" (did you mean node?); known are euler, node, pc")
    #expect(
      sentence { try spec.expect(keys: ["methods", "rtol", "atol", "steps", "trace", "x"]) }
        == "the solver ode has no parameter \"method\" (did you mean methods?); known are methods, rtol, atol, steps, trace, x"
    )
  }
}
