using System.Numerics;
using System.Text;
using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Pickle;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tensors;

/// <summary>Writes the pickle with which torch.save describes one contiguous tensor in storage '0'.</summary>
static class TorchPickle
{
    public static byte[] BareTensor(ScalarType dtype, long[] shape, long elements)
    {
        var pickle = new MemoryStream();
        Put(PickleOpcode.Proto);
        pickle.WriteByte(2);
        PutGlobal("torch._utils", "_rebuild_tensor_v2");
        Put(PickleOpcode.Mark);

        Put(PickleOpcode.Mark);
        PutText("storage");
        PutGlobal("torch", ElementTypes.TorchStorage(dtype));
        PutText("0");
        PutText("cpu");
        PutInteger(elements);
        Put(PickleOpcode.Tuple);
        Put(PickleOpcode.BinPersId);

        PutInteger(0); // the first element
        PutTuple(shape);
        PutTuple(StoredTensor.RowMajorStrides(shape));
        Put(PickleOpcode.NewFalse); // requires_grad
        PutGlobal("collections", "OrderedDict"); // backward hooks
        Put(PickleOpcode.EmptyTuple);
        Put(PickleOpcode.Reduce);

        Put(PickleOpcode.Tuple);
        Put(PickleOpcode.Reduce);
        Put(PickleOpcode.Stop);
        return pickle.ToArray();

        void Put(PickleOpcode opcode) => pickle.WriteByte((byte)opcode);

        void PutGlobal(string module, string name)
        {
            Put(PickleOpcode.Global);
            pickle.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
        }

        void PutText(string text)
        {
            Put(PickleOpcode.BinUnicode);
            pickle.Write(BitConverter.GetBytes(text.Length));
            pickle.Write(Encoding.ASCII.GetBytes(text));
        }

        void PutTuple(long[] numbers)
        {
            Put(PickleOpcode.Mark);
            foreach (var number in numbers)
                PutInteger(number);
            Put(PickleOpcode.Tuple);
        }

        void PutInteger(long number)
        {
            if (number <= int.MaxValue)
            {
                Put(PickleOpcode.BinInt);
                pickle.Write(BitConverter.GetBytes((int)number));
                return;
            }

            var bytes = new BigInteger(number).ToByteArray();
            Put(PickleOpcode.Long1);
            pickle.WriteByte((byte)bytes.Length);
            pickle.Write(bytes);
        }
    }
}
