-- wrk -t2 -c64 -d10s --latency -s test/bench/wrk/post.lua http://localhost:3000
-- Messages from user SENDER to user RECEIVER (environment; 1 and 1), each with another text; TOKEN signs them.
local thread = 0

function setup(t)
  thread = thread + 1
  t:set("name", thread)
end

function init()
  n = 0
  head = '{"sender":' .. (os.getenv("SENDER") or "1") .. ',"receiver":' .. (os.getenv("RECEIVER") or "1") .. ',"content":"wrk ' .. name .. "."
  headers = { ["Content-Type"] = "application/json" }
  if os.getenv("TOKEN") then headers["Authorization"] = "JWT " .. os.getenv("TOKEN") end
end

function request()
  n = n + 1
  return wrk.format("POST", "/api/messages", headers, head .. n .. '"}')
end
