"""Has capabilities, or may gain them."""

with open("/proc/self/status") as file:
    status = dict(line.rstrip().split(":\t", 1) for line in file if ":\t" in line)
for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
    if int(status[name], 16):
        print("BREACH: capabilities", name, status[name])
if status.get("NoNewPrivs") != "1":
    print("BREACH: new privileges are possible")
