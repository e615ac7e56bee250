"""Graphs: NetworkX, PySAT and OR-tools against the verifiers."""

from __future__ import annotations

import re
from itertools import islice, pairwise

import networkx as nx
from ortools.sat.python import cp_model
from proof import Proof, cp_solutions, extended, reassigned, replaced, shortened, some, swapped
from pysat.examples.rc2 import RC2
from pysat.formula import WCNF
from pysat.solvers import Solver


def as_set(text):
    return frozenset(re.findall(r"\w+", text))


def as_edges(text):
    return frozenset(frozenset(pair) for pair in re.findall(r"(\w)\W+(\w)", text))


def graph_of(puzzle, kind=nx.Graph):
    graph = kind()
    graph.add_nodes_from(puzzle["nodes"])
    graph.add_edges_from(edge[:2] for edge in puzzle["edges"])
    for a, b, *weight in puzzle["edges"]:
        graph[a][b]["weight"] = weight[0] if weight else 1
    return graph


# --- paths and orders ---


def shortest_paths(puzzle):
    try:
        paths = nx.all_shortest_paths(graph_of(puzzle), puzzle["start"], puzzle["end"], weight="weight")
        return some(paths, 20)
    except nx.NetworkXNoPath:
        return []


def path_holds(puzzle, path):
    ends = (path[0], path[-1]) == (puzzle["start"], puzzle["end"])
    return ends and nx.is_path(graph_of(puzzle), path)


def path_length(puzzle, path):
    return nx.path_weight(graph_of(puzzle), path, "weight")


def orders(puzzle):
    graph = graph_of(puzzle, nx.DiGraph)
    return some(nx.all_topological_sorts(graph), 20) if nx.is_directed_acyclic_graph(graph) else []


def order_holds(puzzle, order):
    place = {node: i for i, node in enumerate(order)}
    whole = sorted(order) == sorted(puzzle["nodes"])
    return whole and all(place[a] < place[b] for a, b in puzzle["edges"])


def hamiltonian_paths(puzzle):
    """A circuit through an extra node 0, by OR-tools."""
    model = cp_model.CpModel()
    nodes = puzzle["nodes"]
    number = {node: i for i, node in enumerate(nodes, 1)}
    pairs = [(number[a], number[b]) for a, b in puzzle["edges"]]
    pairs += [(0, i) for i in number.values()]
    arcs = {arc: model.new_bool_var(f"{arc}") for a, b in pairs for arc in ((a, b), (b, a))}
    model.add_circuit([(a, b, used) for (a, b), used in arcs.items()])
    paths = []
    for values in cp_solutions(model, list(arcs.values()), 12):
        after = {a: b for (a, b), used in zip(arcs, values, strict=True) if used}
        path = [after[0]]
        while after[path[-1]]:
            path.append(after[path[-1]])
        paths.append([nodes[i - 1] for i in path])
    return paths


def hamiltonian_holds(puzzle, path):
    graph = graph_of(puzzle)
    return sorted(path) == sorted(puzzle["nodes"]) and all(graph.has_edge(a, b) for a, b in pairwise(path))


# --- colours, covers, trees ---


def colourings(puzzle):
    number = {(n, c): 3 * i + c for i, n in enumerate(puzzle["nodes"]) for c in (1, 2, 3)}
    with Solver("glucose4") as solver:
        for node in puzzle["nodes"]:
            solver.add_clause([number[node, c] for c in (1, 2, 3)])
            for c, d in ((1, 2), (1, 3), (2, 3)):
                solver.add_clause([-number[node, c], -number[node, d]])
        for a, b in puzzle["edges"]:
            for c in (1, 2, 3):
                solver.add_clause([-number[a, c], -number[b, c]])
        models = [set(model) for model in islice(solver.enum_models(), 12)]
    return [{n: c for (n, c), literal in number.items() if literal in model} for model in models]


def colouring_holds(puzzle, colours):
    return all(colours[a] != colours[b] for a, b in puzzle["edges"]) and set(colours.values()) <= {1, 2, 3}


def covers(puzzle):
    formula = WCNF()
    number = {node: i for i, node in enumerate(puzzle["nodes"], 1)}
    for a, b in puzzle["edges"]:
        formula.append([number[a], number[b]])
    for i in number.values():
        formula.append([-i], weight=1)
    found = []
    with RC2(formula) as solver:
        for model in solver.enumerate():
            chosen = [node for node, i in number.items() if i in model]
            if len(found) == 12 or (found and len(chosen) > len(found[0])):
                break
            found.append(chosen)
    return found


def cover_holds(puzzle, chosen):
    return len(set(chosen)) == len(chosen) and all(a in chosen or b in chosen for a, b in puzzle["edges"])


def trees(puzzle):
    """Minimum spanning trees, the edges in several orders, so that ties are decided otherwise."""
    found = {}
    for algorithm in ("kruskal", "prim", "boruvka"):
        for edges in (puzzle["edges"], puzzle["edges"][::-1], sorted(puzzle["edges"], key=lambda e: e[1])):
            graph = graph_of({"nodes": puzzle["nodes"][::-1], "edges": edges})
            tree = sorted(nx.minimum_spanning_tree(graph, algorithm=algorithm).edges)
            found[frozenset(map(frozenset, tree))] = tree
    return list(found.values())


def tree_holds(puzzle, edges):
    whole = graph_of(puzzle)
    if not all(whole.has_edge(*edge) for edge in edges):
        return False
    graph = nx.Graph()
    graph.add_nodes_from(puzzle["nodes"])
    graph.add_edges_from(edges)
    return len(edges) == len(puzzle["nodes"]) - 1 and nx.is_tree(graph)


def tree_weight(puzzle, edges):
    graph = graph_of(puzzle)
    return sum(graph[a][b]["weight"] for a, b in edges)


# --- flows and matchings ---


def flows(puzzle):
    graph = nx.DiGraph()
    for a, b, capacity in puzzle["edges"]:
        graph.add_edge(a, b, capacity=capacity)
    algorithms = nx.algorithms.flow
    found = []
    for algorithm in (algorithms.preflow_push, algorithms.dinitz, algorithms.shortest_augmenting_path):
        flow = nx.maximum_flow(graph, "S", "T", flow_func=algorithm)[1]
        found.append({(a, b): flow[a][b] for a, b, _ in puzzle["edges"]})
    return found


def flow_holds(puzzle, flow):
    if not all(0 <= flow[a, b] <= capacity for a, b, capacity in puzzle["edges"]):
        return False
    inner = {node for edge in flow for node in edge} - {"S", "T"}
    return all(net(flow, node) == 0 for node in inner)


def net(flow, node):
    return sum(f for (_, b), f in flow.items() if b == node) - sum(
        f for (a, _), f in flow.items() if a == node
    )


def flow_mutations(puzzle, flow):
    for edge, amount in flow.items():
        yield {**flow, edge: amount + 1}
        if amount:
            yield {**flow, edge: amount - 1}


def write_flow(flow):
    return ", ".join(f"{a}->{b}={amount}" for (a, b), amount in flow.items() if amount)


def flow_key(text):
    return frozenset(text.replace(" ", "").split(","))


def matchings(puzzle):
    found = {}
    for people in (sorted(puzzle["can"]), sorted(puzzle["can"], reverse=True)):
        for step in (1, -1):
            graph = nx.Graph()
            graph.add_nodes_from(people, bipartite=0)
            for person in people:
                graph.add_edges_from((person, f"task {job}") for job in puzzle["can"][person][::step])
            pairs = nx.bipartite.eppstein_matching(graph, people)
            matching = {p: pairs[p].removeprefix("task ") for p in people if p in pairs}
            found[frozenset(matching.items())] = matching
    return list(found.values())


def matching_holds(puzzle, matching):
    able = all(job in puzzle["can"][person] for person, job in matching.items())
    return able and len(set(matching.values())) == len(matching)


PROOFS = {
    "ShortestPath": Proof(
        shortest_paths,
        path_holds,
        " -> ".join,
        lambda p, s: [*shortened(s), *swapped(s), *replaced(s, p["nodes"]), *extended(s, p["nodes"])],
        path_length,
        "no path",
        difficulties=(3, 6, 10),
        tasks=20,
    ),
    "TopologicalSort": Proof(
        orders,
        order_holds,
        ", ".join,
        lambda p, s: [*swapped(s), *shortened(s), *replaced(s, p["nodes"])],
        impossible="impossible",
    ),
    "HamiltonianPath": Proof(
        hamiltonian_paths,
        hamiltonian_holds,
        " -> ".join,
        lambda p, s: [*swapped(s), *shortened(s), *extended(s, p["nodes"]), s[1:] + s[:1]],
        impossible="impossible",
        difficulties=(1, 4, 8),
    ),
    "GraphColoring": Proof(
        colourings,
        colouring_holds,
        lambda s: ", ".join(f"{n}={c}" for n, c in s.items()),
        lambda p, s: reassigned(s, (1, 2, 3, 4)),
        impossible="impossible",
        difficulties=(1, 4, 8),
    ),
    "VertexCover": Proof(
        covers,
        cover_holds,
        ", ".join,
        lambda p, s: [*shortened(s), *replaced(s, p["nodes"]), *extended(s, p["nodes"])],
        lambda p, s: len(s),
        key=as_set,
        difficulties=(1, 4, 8),
    ),
    "MinimumSpanningTree": Proof(
        trees,
        tree_holds,
        lambda s: ", ".join(f"{a}-{b}" for a, b in s),
        lambda p, s: [*shortened(s), *replaced(s, [tuple(e[:2]) for e in p["edges"]])],
        tree_weight,
        key=as_edges,
        difficulties=(2, 6, 10),
    ),
    "MaxFlow": Proof(
        flows,
        flow_holds,
        write_flow,
        flow_mutations,
        lambda p, s: net(s, "T"),
        key=flow_key,
        difficulties=(2, 5, 9),
    ),
    "BipartiteMatching": Proof(
        matchings,
        matching_holds,
        lambda s: ", ".join(f"{p}-{job}" for p, job in s.items()),
        lambda p, s: [*reassigned(s, p["tasks"]), *({k: v for k, v in s.items() if k != q} for q in s)],
        lambda p, s: len(s),
        key=as_edges,
        difficulties=(2, 5, 9),
    ),
}
