-- Posts one request again and again, to Maltego's face or, with TYPE, to another. With VARY set to @@ each differs in
-- what it says, so that none is answered from rendered bytes; with VARY set to ## each differs in a comment only, so
-- that each has to be read. The numbers go on from run to run: one that came before would be known again.
local file = assert(io.open(os.getenv("REQUEST"), "rb"))
local body = file:read("*a")
file:close()
local vary = os.getenv("VARY")
local count = (os.time() % 100000) * 1000000

wrk.method = "POST"
wrk.headers["Content-Type"] = os.getenv("TYPE") or "text/xml"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or "none")
wrk.body = body

if vary then
  function request()
    count = count + 1
    return wrk.format(nil, nil, nil, (body:gsub(vary, tostring(count))))
  end
end
