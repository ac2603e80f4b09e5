using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Taba.Diffusion;
using Taba.Diffusion.Tensors;
using Taba.Grains.Sweeps;
using Taba.Silo.Conditions;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using static TorchSharp.torch;

namespace Taba.Silo.Outputs;

/// <summary>Reads the rows of one run tensor wherever they are: noise at its address, a file, published parts.</summary>
abstract class RunRows : IDisposable
{
    /// <summary>The element type as stored.</summary>
    public abstract ScalarType Dtype { get; }

    /// <summary>The element type's name.</summary>
    public string DtypeName => Dtype.Name();

    /// <summary>Rows that exist; others have failed.</summary>
    public abstract RowSet Rows { get; }

    /// <summary>Reads existing rows as they are stored.</summary>
    /// <param name="step">The step of a kept tensor; ignored for a result.</param>
    public abstract void Read(int step, RowRange rows, Span<byte> destination);

    /// <summary>Makes sure of an object's digest before it is used without being read.</summary>
    /// <exception cref="StoreException">It is damaged.</exception>
    public virtual void Check(PartManifest manifest, ObjectEntry entry)
    {
        // Only published objects have digests.
    }

    public abstract void Dispose();

    public static async Task<RunRows> OpenAsync(
        RunTensor tensor, PlannedRun run, TensorStore store, NoiseSources noise, SubstitutedRows substitutes,
        CancellationToken cancellationToken) =>
        tensor.Rows switch
        {
            NoiseRows address => new OfNoise(address, run, noise),
            FileRows file => new OfFile(file, tensor.Name),
            ImageRows pictures => new OfPictures(pictures),
            DrawnClassRows or ListedClassRows => new OfClasses(tensor.Rows, run),
            StageRows stage => new OfStage(
                tensor, await StageReader.OpenAsync(store, stage.Key, run.Rows, cancellationToken),
                await substitutes.OpenAsync(stage.Key, run.Rows, store, cancellationToken)),
            var other => throw new InvalidOperationException($"{tensor.Name} cannot come from {other}."),
        };

    sealed class OfNoise(NoiseRows address, PlannedRun run, NoiseSources noise) : RunRows
    {
        public override ScalarType Dtype { get; } = address.Dtype.ToScalarType();

        public override RowSet Rows => RowSet.Of(run.Rows);

        public override void Read(int step, RowRange rows, Span<byte> destination) =>
            noise.RawRows(address, NoiseStream.Initial, run.Model, rows, destination);

        public override void Dispose()
        {
            // The noise stays open for the sweep's other runs.
        }
    }

    sealed class OfFile(FileRows source, string name) : RunRows
    {
        readonly TensorFile _file = TensorFile.Open(source.Path);

        public override ScalarType Dtype => _file.Single(name).Dtype;

        public override RowSet Rows => RowSet.Of(new RowRange(0, source.TotalRows));

        public override void Read(int step, RowRange rows, Span<byte> destination) =>
            _file.Single(name).ReadRows(rows.Start, rows.Count, destination);

        public override void Dispose() => _file.Dispose();
    }

    sealed class OfPictures(ImageRows pictures) : RunRows
    {
        readonly Lazy<ImageFolder> _lazyFolder = new(() => PictureRows.Open(pictures));

        public override ScalarType Dtype => ScalarType.Float32;

        public override RowSet Rows => RowSet.Of(new RowRange(0, pictures.TotalRows));

        public override void Read(int step, RowRange rows, Span<byte> destination) =>
            PictureRows.Read(_lazyFolder.Value, rows, destination);

        public override void Dispose()
        {
            // No file stays open.
        }
    }

    sealed class OfClasses(RowsRef classes, PlannedRun run) : RunRows
    {
        public override ScalarType Dtype => ScalarType.Int64;

        public override RowSet Rows => RowSet.Of(run.Rows);

        public override void Read(int step, RowRange rows, Span<byte> destination) =>
            ConditionRows.Classes(classes, run.Model, rows).CopyTo(MemoryMarshal.Cast<byte, long>(destination));

        public override void Dispose()
        {
            // Nothing is open.
        }
    }

    /// <summary>
    /// Rows of a stage: float32 in the store, and in the file what the state is kept in. Some may stand under another stage's key.
    /// </summary>
    sealed class OfStage(RunTensor tensor, StageReader reader, ImmutableArray<(RowSet Rows, StageReader Reader)> standIns) : RunRows
    {
        // A row that did not fit half precision would be infinite in a file of that type.
        public override ScalarType Dtype { get; } = standIns.IsEmpty ? tensor.Dtype.ToScalarType() : ScalarType.Float32;

        public override RowSet Rows =>
            standIns.Aggregate(Published(reader), (rows, standIn) => rows.Union(standIn.Rows.Intersect(Published(standIn.Reader))));

        public override void Read(int step, RowRange rows, Span<byte> destination)
        {
            if (Dtype == ScalarType.Float32)
            {
                ReadStored(step, rows, destination);
                return;
            }
            var stored = new byte[destination.Length * (sizeof(float) / sizeof(ushort))];
            ReadStored(step, rows, stored);
            FloatRows.FromFloat32(stored, Dtype, destination);
        }

        void ReadStored(int step, RowRange rows, Span<byte> destination)
        {
            var rest = RowSet.Of(rows);
            foreach (var (elsewhere, standIn) in standIns)
            {
                ReadPieces(standIn, step, rest.Intersect(elsewhere), rows, destination);
                rest = rest.Subtract(elsewhere);
            }
            ReadPieces(reader, step, rest, rows, destination);
        }

        void ReadPieces(StageReader from, int step, RowSet pieces, RowRange rows, Span<byte> destination)
        {
            var rowBytes = destination.Length / Math.Max(1, rows.Count);
            foreach (var piece in pieces.Ranges)
            {
                var bytes = destination.Slice((piece.Start - rows.Start) * rowBytes, piece.Count * rowBytes);
                if (tensor.Kind == TensorKinds.None)
                    from.ReadResult(piece, bytes);
                else
                    from.ReadKept(tensor.Kind, step, piece, bytes);
            }
        }

        RowSet Published(StageReader stage) => stage.Rows(tensor.Kind, tensor.Kind == TensorKinds.None ? null : tensor.Steps[0]);

        public override void Check(PartManifest manifest, ObjectEntry entry) => reader.Check(manifest, entry);

        public override void Dispose()
        {
            reader.Dispose();
            foreach (var (_, standIn) in standIns)
                standIn.Dispose();
        }
    }
}
