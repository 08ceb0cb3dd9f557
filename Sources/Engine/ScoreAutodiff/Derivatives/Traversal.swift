import ScoreTensors

/// What makes two formulas the same value: an input's name, or else the node itself.
enum NodeKey: Hashable {
  case input(String)
  case node(ObjectIdentifier)
}

extension Formula {
  var key: NodeKey {
    inputName.map { .input($0) } ?? .node(ObjectIdentifier(node))
  }

  /// All nodes that `roots` lean on, inputs before what uses them; nothing below `leaves`.
  ///
  /// Does not recurse: graphs may be deep.
  package static func topological(_ roots: [Formula]) -> [Formula] {
    topological(roots, leaves: [])
  }

  static func topological(_ roots: [Formula], leaves: Set<NodeKey>) -> [Formula] {
    var order: [Formula] = []
    var seen: Set<ObjectIdentifier> = []
    var stack: [(node: Node, next: Int)] = []
    for root in roots where seen.insert(ObjectIdentifier(root.node)).inserted {
      stack.append((root.node, 0))
      while let (node, next) = stack.last {
        if next == node.inputs.count || leaves.contains(Formula(node).key) {
          order.append(Formula(node))
          stack.removeLast()
        } else {
          stack[stack.count - 1].next += 1
          let input = node.inputs[next]
          if seen.insert(ObjectIdentifier(input)).inserted { stack.append((input, 0)) }
        }
      }
    }
    return order
  }
}
