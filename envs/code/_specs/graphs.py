"""Functions of graphs, as a number of nodes and a list of edges, and of grids."""

# ruff: noqa: D205 - a docstring here is the statement that the policy reads, and may run over the first line

from __future__ import annotations

from rlvr_gym.envs.code._specs.base import spec
from rlvr_gym.envs.code._specs.inputs import graph, grid


@spec(graph())
def degrees(nodes: int, edges: list[list[int]]) -> list[int]:
    """Nodes are numbered from 0, and each edge [a, b] joins two of them. Give the number of edges at each node."""
    table = [0] * nodes
    for a, b in edges:
        table[a] += 1
        table[b] += 1
    return table


@spec(graph())
def count_components(nodes: int, edges: list[list[int]]) -> int:
    """Nodes are numbered from 0, and each edge [a, b] joins two of them. Count the connected parts of the graph; a node
    without edges is one of its own.
    """
    leader = list(range(nodes))
    for a, b in edges:
        old, new = leader[a], leader[b]
        leader = [new if x == old else x for x in leader]
    return len(set(leader))


@spec(graph())
def is_two_colorable(nodes: int, edges: list[list[int]]) -> bool:
    """Nodes are numbered from 0, and each edge [a, b] joins two of them. Tell whether the nodes can be painted in two
    colors so that no edge joins nodes of one color.
    """
    color = [0] * nodes
    for start in range(nodes):
        if color[start]:
            continue
        color[start] = 1
        waiting = [start]
        while waiting:
            node = waiting.pop()
            for a, b in edges:
                if node in (a, b):
                    other = a + b - node
                    if color[other] == color[node]:
                        return False
                    if color[other] == 0:
                        color[other] = -color[node]
                        waiting.append(other)
    return True


@spec(graph())
def distance_to_last(nodes: int, edges: list[list[int]]) -> int:
    """Nodes are numbered from 0, and each edge [a, b] can be walked both ways. Give the least number of edges on a way
    from node 0 to the last node; -1 if there is no way.
    """
    distance = {0: 0}
    waiting = [0]
    for node in waiting:
        for a, b in edges:
            if node in (a, b):
                other = a + b - node
                if other not in distance:
                    distance[other] = distance[node] + 1
                    waiting.append(other)
    return distance.get(nodes - 1, -1)


@spec(graph(directed=True))
def topological_order(nodes: int, edges: list[list[int]]) -> list[int]:
    """Nodes are numbered from 0, and each edge [a, b] says that a comes before b. Put the nodes in order, always taking
    the smallest node that may come next; give the empty list if the edges contradict each other.
    """
    missing = [0] * nodes
    for _, b in edges:
        missing[b] += 1
    order: list[int] = []
    while len(order) < nodes:
        free = [node for node in range(nodes) if missing[node] == 0 and node not in order]
        if not free:
            return []
        order.append(free[0])
        for a, b in edges:
            if a == free[0]:
                missing[b] -= 1
    return order


@spec(graph(directed=True))
def reachable(nodes: int, edges: list[list[int]]) -> list[int]:
    """Nodes are numbered from 0, and each edge [a, b] leads from a to b. List in ascending order the nodes that can be
    reached from node 0, itself included.
    """
    found = {0}
    for _ in range(nodes):
        for a, b in edges:
            if a in found:
                found.add(b)
    return sorted(found)


@spec(graph())
def count_triangles(nodes: int, edges: list[list[int]]) -> int:
    """Nodes are numbered from 0, and each edge [a, b] joins two of them. Count the sets of three nodes that are all joined
    with each other.
    """
    joined = {(a, b) for a, b in edges} | {(b, a) for a, b in edges}
    total = 0
    for a in range(nodes):
        for b in range(a + 1, nodes):
            for c in range(b + 1, nodes):
                if (a, b) in joined and (b, c) in joined and (a, c) in joined:
                    total += 1
    return total


@spec(graph(weights=True))
def spanning_weight(nodes: int, edges: list[list[int]]) -> int:
    """Nodes are numbered from 0, and each edge [a, b, w] joins a and b at the cost w. Give the least total cost of edges
    that join all nodes; -1 if even all edges do not.
    """
    leader = list(range(nodes))
    total = 0
    for a, b, weight in sorted(edges, key=lambda edge: edge[2]):
        old, new = leader[a], leader[b]
        if old != new:
            leader = [new if x == old else x for x in leader]
            total += weight
    return total if len(set(leader)) == 1 else -1


@spec(graph(weights=True))
def cheapest_way(nodes: int, edges: list[list[int]]) -> int:
    """Nodes are numbered from 0, and each edge [a, b, w] can be walked both ways at the cost w. Give the least cost of a
    way from node 0 to the last node; -1 if there is no way.
    """
    far = 10**9
    cost = [0] + [far] * (nodes - 1)
    for _ in range(nodes):
        for a, b, weight in edges:
            cost[b] = min(cost[b], cost[a] + weight)
            cost[a] = min(cost[a], cost[b] + weight)
    return cost[-1] if cost[-1] < far else -1


@spec(grid(0, 1))
def count_islands(cells: list[list[int]]) -> int:
    """The grid has 1 for land and 0 for water. Count the islands: parts of land that hang together horizontally or
    vertically.
    """
    land = {(r, c) for r, row in enumerate(cells) for c, cell in enumerate(row) if cell == 1}
    islands = 0
    while land:
        islands += 1
        waiting = [land.pop()]
        while waiting:
            r, c = waiting.pop()
            for near in [(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)]:
                if near in land:
                    land.remove(near)
                    waiting.append(near)
    return islands


@spec(grid(0, 9))
def spiral(cells: list[list[int]]) -> list[int]:
    """List the numbers of the grid in a spiral: along the first row to the right, down the last column, back along the
    last row, up the first column, and so on inwards.
    """
    listed: list[int] = []
    rows = [list(row) for row in cells]
    while rows:
        listed += rows.pop(0)
        rows = [list(column) for column in zip(*rows, strict=True)][::-1]
    return listed


@spec(grid(0, 1))
def living_cells(cells: list[list[int]]) -> int:
    """The grid has 1 for living and 0 for dead cells; cells have up to eight neighbours, and beyond the edge there are
    none. Count the living cells after one step of the Game of Life: a cell lives if it has three living neighbours, or if
    it lives already and has two.
    """
    alive = {(r, c) for r, row in enumerate(cells) for c, cell in enumerate(row) if cell == 1}
    total = 0
    for r in range(len(cells)):
        for c in range(len(cells[0])):
            near = sum((r + i, c + j) in alive for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))
            if near == 3 or (near == 2 and (r, c) in alive):
                total += 1
    return total
