"""Why a schedule ends badly, and what would mend it: pure functions over a state graph, no server asked."""
