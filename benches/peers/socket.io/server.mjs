// A chat server on socket.io, as its documentation does rooms: everyone joins one, and what one says goes to it.
import { Server } from "socket.io";

const server = new Server({ transports: ["websocket"], serveClient: false });

server.on("connection", (socket) => {
    const room = socket.handshake.query.room ?? "";
    socket.join(room);
    socket.on("chat", (message) => server.to(room).emit("chat", message));
});

server.listen(Number(process.argv[2]));
