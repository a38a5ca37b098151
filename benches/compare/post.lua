-- Posts one request again and again, to Maltego's face or, with TYPE, to another. With VARY set to @@ each differs in a property, so that none is answered
-- from rendered bytes; with VARY set to ## each differs in a comment only, so that each has to be read.
local file = assert(io.open(os.getenv("REQUEST"), "rb"))
local body = file:read("*a")
file:close()
local vary = os.getenv("VARY")
local count = 0

wrk.method = "POST"
wrk.headers["Content-Type"] = os.getenv("TYPE") or "text/xml"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or "none")
wrk.body = body

if vary then
  function request()
    count = count + 1
    return wrk.format(nil, nil, nil, (body:gsub(vary, tostring(count), 1)))
  end
end
