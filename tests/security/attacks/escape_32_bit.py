"""Makes system calls by the 32-bit gate and the x32 numbers, past filters for 64 bits."""

import ctypes
import mmap

libc = ctypes.CDLL(None)
if libc.syscall(0x40000000 + 41, 2, 1, 0) >= 0:
    print("BREACH: a socket by the x32 number")
# mov eax, 359 (socket); mov ebx, 2; mov ecx, 1; xor edx, edx; int 0x80; ret
code = b"\x53\xb8\x67\x01\x00\x00\xbb\x02\x00\x00\x00\xb9\x01\x00\x00\x00\x31\xd2\xcd\x80\x5b\xc3"
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
if function() >= 0:
    print("BREACH: a socket by the 32-bit gate")
