// The largest number of each window of an image, channel by channel.

/**
 * x f32 [images, height, width, channels] -> out f32 [images, outHeight, outWidth, channels] with outHeight =
 * floor((height - window) / stride) + 1; channels a multiple of 16. A NaN may be passed over.
 */
export function maxPool(out: usize, x: usize, images: u32, height: u32, width: u32, channels: u32, window: u32, stride: u32): void {
  const pixelBytes = <usize>channels << 2;
  const rowBytes = <usize>width * pixelBytes;
  const outHeight = (height - window) / stride + 1;
  const outWidth = (width - window) / stride + 1;
  for (let image: u32 = 0; image < images; image++, x += <usize>height * rowBytes) {
    for (let oy: u32 = 0; oy < outHeight; oy++) {
      for (let ox: u32 = 0; ox < outWidth; ox++) {
        const corner = x + <usize>(oy * stride) * rowBytes + <usize>(ox * stride) * pixelBytes;
        const end = corner + pixelBytes;
        for (let at = corner; at < end; at += 16, out += 16) {
          let largest = v128.load(at);
          for (let y: u32 = 0; y < window; y++) {
            let from = at + <usize>y * rowBytes;
            for (let i: u32 = 0; i < window; i++, from += pixelBytes) largest = f32x4.pmax(largest, v128.load(from));
          }
          v128.store(out, largest);
        }
      }
    }
  }
}
