import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// The network that `config.json` of a `UNet2DModel` describes, with the library's values for what is left out.
struct PublishedUNet {
  /// [height, width, channels].
  let sampleShape: Shape
  /// The network: DDPM's, which sees the step of a chain, or NCSN++, which sees log σ.
  let network: NetworkSpec
  /// Whether it takes images as they are from 0 to 1, and itself makes numbers from −1 to 1 of them.
  let centersImages: Bool
  let cosinesFirst: Bool
  /// How many classes it knows, 0 where it knows of none.
  let classes: Int
  /// Whether it gives variances after the means, as many again.
  let givesVariances: Bool

  /// The largest numbers of channels and sides that are read.
  static let most = 1 << 16

  /// - Parameter sides: height and width in place of the file's; nil takes those.
  /// - Throws: `FileError` unless it is a network that `DDPMUNet` or `NCSNPlusPlus` computes.
  init(_ object: PublishedObject, sides: [Int]?) throws(FileError) {
    try Self.checkKind(object)
    let channels = try object.integer("in_channels") ?? 3
    let results = try object.integer("out_channels") ?? 3
    guard (1...Self.most).contains(channels), [channels, 2 * channels].contains(results) else {
      throw object.failure(
        "out_channels", "\(results)",
        "as many as in_channels, \(channels), or twice as many where variances are learnt")
    }
    givesVariances = results != channels
    let published = try object.sides("sample_size")
    guard let sides = sides ?? published else {
      throw object.failure(
        "sample_size", object.has("sample_size") ? "null" : "nothing",
        "the sides of images, here or where it is read, as import --size HEIGHTxWIDTH takes them")
    }
    guard sides.count == 2, sides.allSatisfy({ (1...Self.most).contains($0) }) else {
      throw object.failure(
        "sample_size", "\(sides.map(String.init).joined(separator: ", "))",
        "two sides from 1 to \(Self.most)")
    }
    sampleShape = Shape(sides + [channels])
    let seesNoise = try object.text("time_embedding_type") == "fourier"
    network = try seesNoise ? Self.ncsnPlusPlus(object) : Self.ddpm(object)
    centersImages = try object.flag("center_input_sample") ?? false
    // Of the features of the noise sines are first, whatever the file says.
    let flips = try object.flag("flip_sin_to_cos") ?? true
    cosinesFirst = flips && !seesNoise
    classes = try Self.classes(object)
  }

  /// Checks what all networks that are read have alike.
  private static func checkKind(_ object: PublishedObject) throws(FileError) {
    let name = "UNet2DModel"
    guard object.has("_class_name") else { throw object.failure("_class_name", "nothing", name) }
    try object.expect("_class_name", name)
    let embedding = try object.text("time_embedding_type") ?? "positional"
    guard ["positional", "fourier"].contains(embedding) else {
      throw object.failure("time_embedding_type", embedding, "positional or fourier")
    }
    try object.expect("mid_block_type", "UNetMidBlock2D")
    try object.expect("resnet_time_scale_shift", "default")
    if let function = try object.text("act_fn"), !["silu", "swish"].contains(function) {
      throw object.failure("act_fn", function, "silu")
    }
  }

  private static func classes(_ object: PublishedObject) throws(FileError) -> Int {
    try object.expectNothing("class_embed_type", "null, a network with a table of classes or none")
    guard let classes = try object.integer("num_class_embeds") else { return 0 }
    guard (1...ModelConfiguration.mostClasses).contains(classes) else {
      throw object.failure(
        "num_class_embeds", "\(classes)",
        "null, or from 1 to \(ModelConfiguration.mostClasses) classes")
    }
    return classes
  }
}
